/// How the metadata service of an EC2 instance is asked.
struct InstanceMetadataOptions: Hashable, Sendable {
    /// When requests without a token, which a confused proxy on the instance can be made to send, may take the place of
    /// those with one.
    enum VersionOneFallback: Hashable, Sendable {
        case never
        /// When the service knows no tokens or does not answer; not when it forbids them.
        case unlessForbidden
        case always
    }

    /// Whether it is never asked, as with `AWS_EC2_METADATA_DISABLED=true`.
    var isDisabled = false
    /// Its URL; `nil` for what the environment says, else `http://169.254.169.254`.
    var endpoint: String?
    var versionOneFallback = VersionOneFallback.never
    /// How often it is asked at most.
    var attempts = 3
    /// The time for the first request, which tells whether there is such a service at all.
    var connectTimeout: Duration = .seconds(1)
    /// The time for each of the others.
    var timeout: Duration = .seconds(2)
}
