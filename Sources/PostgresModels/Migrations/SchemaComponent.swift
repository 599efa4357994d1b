/// The objects that a layer above keeps in the database for its own use: tables, functions, and what must happen to
/// them when a migration changes a table.
///
/// The migrator installs and upgrades it before the migrations of the application, under the same lock. It is known to
/// the migrator when a migration calls ``TableBuilder/require(_:)``, or when the database was opened with an attachment
/// that provides it.
package struct SchemaComponent: Sendable {
    /// The name, under which the database remembers how far the component has been installed.
    package let name: String

    /// The migrations that install it, and those that have upgraded it since: ordered, never edited once released, only
    /// added to.
    ///
    /// Tables belong here. What can be written anew at any time belongs into ``definitions``.
    package let migrations: [Migration]

    /// The functions and views, as this version of the layer has them; `nil` when there are none.
    package let definitions: SchemaDefinitions?

    /// Statements that look at the server before anything is made, the schema included, and fail where the component
    /// cannot work.
    let requirements: [SQL]

    /// Statements to run at each migration before those of the application, in a transaction of their own.
    let upkeep: [SQL]

    /// Statements to run at each migration after those of the application, each in a transaction of its own.
    let conclusion: [SQL]

    /// Makes the statements to run right before a change.
    let before: @Sendable (SchemaChange) -> [SQL]

    /// Makes the statements to run right after a change.
    let after: @Sendable (SchemaChange) -> [SQL]

    /// Describes a component.
    ///
    /// - Parameters:
    ///   - name: A name that stays.
    ///   - migrations: What installs and upgrades it, in order.
    ///   - definitions: What is written anew with each version. Default: nothing.
    ///   - requirements: What fails on a server that the component cannot work with; run once, before anything is made.
    ///     Default: nothing.
    ///   - upkeep: What to run at each migration, before those of the application. Default: nothing.
    ///   - conclusion: What to run at each migration, after those of the application. Default: nothing.
    ///   - before: What to run right before a table or column is dropped or renamed. Default: nothing.
    ///   - after: What to run right after that. Default: nothing.
    package init(
        name: String,
        migrations: [Migration],
        definitions: SchemaDefinitions? = nil,
        requirements: [SQL] = [],
        upkeep: [SQL] = [],
        conclusion: [SQL] = [],
        before: @escaping @Sendable (SchemaChange) -> [SQL] = { _ in [] },
        after: @escaping @Sendable (SchemaChange) -> [SQL] = { _ in [] }
    ) {
        self.name = name
        self.migrations = migrations
        self.definitions = definitions
        self.requirements = requirements
        self.upkeep = upkeep
        self.conclusion = conclusion
        self.before = before
        self.after = after
    }
}
