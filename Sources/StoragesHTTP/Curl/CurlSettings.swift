/// The settings of connections; the same for all requests of a storage.
package struct CurlSettings: Hashable, Sendable, SecretHolding {
    /// The certificates to trust, in PEM; `nil` for those of the system.
    package var certificateAuthorityFile: String?
    /// A Boolean value that indicates whether the server's certificate is checked.
    package var verifiesCertificates = true
    /// The client's certificate and key, in PEM.
    package var clientCertificateFile: String?
    package var clientKeyFile: String?
    /// The URL of a proxy, perhaps with a password; `nil` for none.
    ///
    /// The variables `http_proxy` and `https_proxy` never count.
    package var proxy: String?
    /// Hosts that are reached without the proxy, separated by commas.
    package var noProxy: String?
    /// The certificates to trust of an HTTPS proxy, in PEM.
    package var proxyCertificateAuthorityFile: String?
    /// The age from which an idle connection is not used again: servers close them, and a request on one that is being
    /// closed is lost.
    package var idleConnectionAge: Duration = .seconds(15)
    /// The longest time for making a connection, with the TLS handshake.
    package var connectTimeout: Duration = .seconds(5)

    package init() {}
}
