/// How the metadata service of an EC2 instance is asked for credentials, which it is last of all.
///
/// ```swift
/// var options = S3Options()
/// options.instanceMetadata.isDisabled = true    // not on EC2: nobody has to wait for a service that is not there
/// ```
public struct S3InstanceMetadata: Hashable, Sendable {
    /// When requests without a token, which a confused proxy on the instance can be made to send, may take the place of
    /// those with one.
    public enum VersionOneFallback: Hashable, Sendable {
        /// Never.
        case never
        /// When the service knows no tokens or does not answer; not when it forbids them.
        case unlessForbidden
        /// Also when the service forbids tokens.
        case always
    }

    /// Whether it is never asked, as with `AWS_EC2_METADATA_DISABLED=true`.
    ///
    /// Default: `false`.
    public var isDisabled: Bool
    /// The URL of the service: `http://` or `https://`, a host, and perhaps a port and a path.
    ///
    /// Default: what `AWS_EC2_METADATA_SERVICE_ENDPOINT` says, else `http://169.254.169.254`, or the IPv6 address of the
    /// service when `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` is `IPv6`.
    public var endpointURL: String?
    /// Whether the first version of the service, which has no tokens, may be used; `AWS_EC2_METADATA_V1_DISABLED=true`
    /// forbids it.
    ///
    /// Default: never.
    public var versionOneFallback: VersionOneFallback
    /// How often it is asked at most.
    var attempts = 3
    /// The time for the first request, which tells whether there is such a service at all.
    var connectTimeout: Duration = .seconds(1)
    /// The time for each of the others.
    var timeout: Duration = .seconds(2)

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - isDisabled: Whether it is never asked. Default: `false`.
    ///   - endpointURL: Its URL. Default: what the environment says, else the usual one.
    ///   - versionOneFallback: Whether requests may go without a token. Default: never.
    public init(
        isDisabled: Bool = false,
        endpointURL: String? = nil,
        versionOneFallback: VersionOneFallback = .never
    ) {
        self.isDisabled = isDisabled
        self.endpointURL = endpointURL
        self.versionOneFallback = versionOneFallback
    }

    /// The URL that the option gives, taken apart.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the option.
    func endpoint() throws -> ServiceURL? {
        try endpointURL.map { try ServiceURL($0, from: "the option instanceMetadata.endpointURL") }
    }
}
