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
