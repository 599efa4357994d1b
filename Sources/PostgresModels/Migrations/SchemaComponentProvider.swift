/// An attachment of a database that needs something of its own in every database it is used with.
package protocol SchemaComponentProvider: AnyObject, Sendable {
    /// The components that it needs.
    var schemaComponents: [SchemaComponent] { get }

    /// Runs after each migration of the database, for what is not in it.
    ///
    /// - Parameter database: The database.
    func didMigrate(_ database: Database) async
}

extension DatabaseAttachments {
    var providers: [any SchemaComponentProvider] {
        objects.values.compactMap { $0 as? any SchemaComponentProvider }
    }

    var components: [SchemaComponent] {
        providers.flatMap(\.schemaComponents)
    }
}
