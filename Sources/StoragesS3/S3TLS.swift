/// The settings for TLS with the S3 server.
///
/// Services that issue credentials, such as STS, are always checked, against the authorities that `AWS_CA_BUNDLE`
/// names, else the system's; no certificate of the client is shown to them.
public struct S3TLS: Hashable, Sendable {
    /// The path of a file with the certificates to trust, in PEM.
    ///
    /// Default: what `AWS_CA_BUNDLE` names, else the `ca_bundle` of a profile that ``S3Storage`` was loaded by, else
    /// what `SSL_CERT_FILE` names, else the system's.
    public var certificateAuthorityFile: String?
    /// A Boolean value that indicates whether the server's certificate is checked; without that anybody on the way can
    /// read and change everything.
    ///
    /// Default: `true`.
    public var verifiesCertificates = true
    /// The path of a certificate that this client shows, in PEM.
    ///
    /// Default: none.
    public var clientCertificateFile: String?
    /// The path of the key of that certificate, in PEM.
    ///
    /// Default: none.
    public var clientKeyFile: String?
    /// The path of a file with the certificates to trust, in PEM, for a proxy that is itself reached over TLS.
    ///
    /// Default: the system's.
    public var proxyCertificateAuthorityFile: String?

    /// Creates settings with all defaults.
    public init() {}
}
