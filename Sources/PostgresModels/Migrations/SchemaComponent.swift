/// What a layer above keeps in the database for its own use: tables, functions, and what must happen to them when a
/// migration changes a table.
///
/// The migrator installs and upgrades it before the migrations of the application, under the same lock. It is known to
/// the migrator when a migration says ``TableBuilder/require(_:)``, or when the database was opened with an attachment
/// that provides it.
public struct SchemaComponent: Sendable {
    /// The name, under which the database remembers how far the component has been installed.
    public let name: String

    /// What installs it, and what has upgraded it since: ordered, never edited once released, only added to.
    public let migrations: [Migration]

    /// What to run right before a change.
    let before: @Sendable (SchemaChange) -> [SQL]

    /// What to run right after a change.
    let after: @Sendable (SchemaChange) -> [SQL]

    /// Describes a component.
    ///
    /// - Parameters:
    ///   - name: A name that stays.
    ///   - migrations: What installs and upgrades it, in order.
    ///   - before: What to run right before a table or column is dropped or renamed. Default: nothing.
    ///   - after: What to run right after that. Default: nothing.
    public init(
        name: String,
        migrations: [Migration],
        before: @escaping @Sendable (SchemaChange) -> [SQL] = { _ in [] },
        after: @escaping @Sendable (SchemaChange) -> [SQL] = { _ in [] }
    ) {
        self.name = name
        self.migrations = migrations
        self.before = before
        self.after = after
    }
}
