import NIOConcurrencyHelpers

/// The builder on which a migration writes its statements down.
///
/// Identifiers are quoted, and those that PostgreSQL would cut are refused. Statements run in the order in which they
/// were written.
public final class SchemaBuilder: Sendable {
    private let pieces = NIOLockedValueBox<[SchemaPiece]>([])

    init() {}

    /// Creates a table.
    ///
    /// - Parameters:
    ///   - table: The name.
    ///   - build: Names the columns.
    /// - Throws: ``DatabaseError`` with code `.invalidIdentifier` for a name that PostgreSQL would not keep.
    public func create(table: String, _ build: (TableBuilder) throws -> Void) async throws {
        let builder = TableBuilder(table: table)
        try build(builder)
        if let failure = builder.failure { throw failure }
        require(builder.components)
        try append(["CREATE TABLE \(identifier: table) (\(sql: builder.definition))"] + builder.statementsAfter)
    }

    /// Adds columns and what goes with them to a table that exists.
    ///
    /// - Parameters:
    ///   - table: The name.
    ///   - build: Names the new columns.
    /// - Throws: As ``create(table:_:)``.
    public func alter(table: String, _ build: (TableBuilder) throws -> Void) async throws {
        let builder = TableBuilder(table: table)
        try build(builder)
        if let failure = builder.failure { throw failure }
        require(builder.components)
        let additions = builder.elements.map { $0.addition }
        if !additions.isEmpty {
            try append(["ALTER TABLE \(identifier: table) \(sql: .joined(additions))"])
        }
        try append(builder.statementsAfter)
    }

    /// Drops a table.
    ///
    /// - Parameter table: The name.
    /// - Throws: As ``create(table:_:)``.
    public func drop(table: String) async throws {
        try append(.dropTable(table), "DROP TABLE \(identifier: table)")
    }

    /// Drops a column.
    ///
    /// - Parameters:
    ///   - column: The column.
    ///   - table: The table.
    /// - Throws: As ``create(table:_:)``.
    public func drop(column: String, from table: String) async throws {
        try append(
            .dropColumn(column, table: table),
            "ALTER TABLE \(identifier: table) DROP COLUMN \(identifier: column)"
        )
    }

    /// Renames a column.
    ///
    /// - Parameters:
    ///   - column: The column.
    ///   - table: The table.
    ///   - newName: The new name.
    /// - Throws: As ``create(table:_:)``.
    public func rename(column: String, of table: String, to newName: String) async throws {
        try append(
            .renameColumn(column, table: table, newName: newName),
            "ALTER TABLE \(identifier: table) RENAME COLUMN \(identifier: column) TO \(identifier: newName)"
        )
    }

    /// Runs SQL of your own.
    ///
    /// - Parameter sql: One statement.
    /// - Throws: ``DatabaseError`` with code `.invalidIdentifier` or `.invalidArgument` for what it is made of.
    public func execute(_ sql: SQL) async throws {
        try append([sql])
    }

    /// Requires a component to be installed before the migration runs.
    ///
    /// - Parameter component: The component.
    package func require(_ component: SchemaComponent) {
        require([component])
    }

    private func require(_ components: [SchemaComponent]) {
        pieces.withLockedValue { $0 += components.map { .requirement($0) } }
    }

    private func append(_ statements: [SQL]) throws {
        // What is wrong is thrown at the line that wrote it.
        for statement in statements { _ = try statement.statement() }
        pieces.withLockedValue { $0 += statements.map { .sql($0) } }
    }

    private func append(_ change: SchemaChange, _ sql: SQL) throws {
        _ = try sql.statement()
        pieces.withLockedValue { $0.append(.change(change, sql)) }
    }

    func written() -> [SchemaPiece] {
        pieces.withLockedValue { $0 }
    }
}
