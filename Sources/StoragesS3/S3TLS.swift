/// How TLS is done.
public struct S3TLS: Hashable, Sendable {
    /// The path of a file with the certificates to trust, in PEM.
    ///
    /// Default: what `AWS_CA_BUNDLE` or `SSL_CERT_FILE` names, else the system's.
    public var certificateAuthorityFile: String?
    /// Whether the server's certificate is checked; without that anybody on the way can read and change everything.
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

    /// Creates settings with all defaults.
    public init() {}
}
