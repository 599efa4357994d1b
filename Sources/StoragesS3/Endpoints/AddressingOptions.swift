/// What an ``Addressing`` is made of.
struct AddressingOptions: Hashable, Sendable {
    var bucket: String
    /// `nil` for Amazon S3.
    var endpoint: EndpointAddress?
    var region: Region
    var scheme: URLScheme = .https
    var style: S3AddressingStyle = .auto
    var usesDualStack = false
    var usesAcceleration = false
    var usesFIPS = false
    /// Whether the server knows no bucket in a path.
    var requiresVirtualHost = false
}
