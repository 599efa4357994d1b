/// The settings for credentials from the metadata service of an EC2 instance, which is the last source to be asked.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>
///
/// ```swift
/// var options = S3Options()
/// options.instanceMetadata.isDisabled = true    // not on EC2: nobody has to wait for a service that is not there
/// ```
public struct S3InstanceMetadata: Hashable, Sendable {
    /// The cases in which requests without a token may take the place of those with one; a confused proxy on the
    /// instance can be made to send such requests.
    public enum VersionOneFallback: Hashable, Sendable {
        /// No requests without a token.
        case never
        /// Requests without a token when the service knows no tokens or does not respond; not when it forbids them.
        case unlessForbidden
        /// Requests without a token also when the service forbids tokens.
        case always
    }

    /// A Boolean value that indicates whether the service is never asked, as with `AWS_EC2_METADATA_DISABLED=true`.
    ///
    /// Default: `false`.
    public var isDisabled: Bool
    /// The URL of the service: `http://` or `https://`, a host, and perhaps a port and a path.
    ///
    /// Default: what `AWS_EC2_METADATA_SERVICE_ENDPOINT` says, else `http://169.254.169.254`, or the IPv6 address of
    /// the service when `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE` is `IPv6`.
    public var endpointURL: String?
    /// The cases in which the first version of the service, which has no tokens, may be used;
    /// `AWS_EC2_METADATA_V1_DISABLED=true` forbids it.
    ///
    /// Default: never.
    public var versionOneFallback: VersionOneFallback
    /// The most times that the service is asked.
    var attempts = 3
    /// The timeout of the first request, which shows whether there is such a service at all.
    var connectTimeout: Duration = .seconds(1)
    /// The timeout of each of the others.
    var timeout: Duration = .seconds(2)

    /// Creates settings.
    ///
    /// - Parameters:
    ///   - isDisabled: Whether it is never asked. Default: `false`.
    ///   - endpointURL: Its URL. Default: what the environment says, else the usual one.
    ///   - versionOneFallback: The cases in which requests may go without a token. Default: never.
    public init(
        isDisabled: Bool = false,
        endpointURL: String? = nil,
        versionOneFallback: VersionOneFallback = .never
    ) {
        self.isDisabled = isDisabled
        self.endpointURL = endpointURL
        self.versionOneFallback = versionOneFallback
    }

    /// Returns the URL that the option gives, parsed.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the option.
    func endpoint() throws -> ServiceURL? {
        try endpointURL.map { try ServiceURL($0, from: "the option instanceMetadata.endpointURL") }
    }
}
