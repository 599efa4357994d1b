/// The options that an ``Addressing`` is made of.
struct AddressingOptions: Hashable, Sendable {
    var bucket: String
    /// The host of the server; `nil` for Amazon S3.
    var endpoint: EndpointAddress?
    var region: Region
    var scheme: URLScheme = .https
    var style: S3AddressingStyle = .auto
    var usesDualStack = false
    var usesAcceleration = false
    var usesFIPS = false
    /// A Boolean value that indicates whether the server does not accept a bucket in the path.
    var requiresVirtualHost = false
}

/// The place of the bucket in a URL.
public enum S3AddressingStyle: String, Hashable, Sendable, CaseIterable {
    /// The host for Amazon S3, when the name is one label of a host; the path elsewhere.
    ///
    /// An endpoint that begins with the bucket's name and a dot has the bucket in its host already, and keeps it there.
    case auto
    /// The path: `https://s3.example.org/bucket/key`.
    case path
    /// The host: `https://bucket.s3.example.org/key`; IP addresses have no host names in front, and keep it in the
    /// path.
    case virtual
}
