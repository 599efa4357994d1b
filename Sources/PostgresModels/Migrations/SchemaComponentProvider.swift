/// An attachment of a database that needs something of its own in every database it is used with.
public protocol SchemaComponentProvider: AnyObject, Sendable {
    /// What it needs.
    var schemaComponents: [SchemaComponent] { get }
}
