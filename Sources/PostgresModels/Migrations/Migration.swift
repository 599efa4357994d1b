/// A step in the life of a schema: named, ordered, run once.
///
/// ```swift
/// Migration("2026-11-23 create photos") { schema in
///     try await schema.create(table: "photos") { table in
///         table.identity()
///         table.column("title", .text)
///     }
/// }
/// ```
public struct Migration: Sendable {
    /// The body of a migration, which writes statements down.
    public typealias Body = @Sendable (SchemaBuilder) async throws -> Void

    /// The name, under which the database remembers that it was applied.
    ///
    /// Never rename one that has been.
    public let name: String

    /// A Boolean value that indicates whether it runs outside of a transaction, as `CREATE INDEX CONCURRENTLY` must.
    public let isOutsideTransaction: Bool

    let up: Body
    let down: Body?

    /// A migration.
    ///
    /// - Parameters:
    ///   - name: A name that stays; a date in front keeps lists readable.
    ///   - outsideTransaction: Whether each statement runs on its own. Default: all run in one transaction.
    ///   - up: Writes the statements down. It is called without a database: what it writes depends on nothing else, so
    ///     that a checksum can tell whether it was changed after it had been applied.
    ///   - down: Writes down what undoes it. Default: it cannot be undone.
    public init(
        _ name: String,
        outsideTransaction: Bool = false,
        up: @escaping Body,
        down: Body? = nil
    ) {
        self.name = name
        isOutsideTransaction = outsideTransaction
        self.up = up
        self.down = down
    }

    /// The pieces that a body writes down.
    static func pieces(of body: Body) async throws -> [SchemaPiece] {
        let schema = SchemaBuilder()
        try await body(schema)
        return schema.written()
    }
}
