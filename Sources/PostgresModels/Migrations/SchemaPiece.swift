/// A piece that a migration writes down.
enum SchemaPiece: Sendable {
    /// A statement.
    case sql(SQL)
    /// A statement that components accompany.
    case change(SchemaChange, SQL)
    /// A component that has to be installed before.
    case requirement(SchemaComponent)

    /// The SQL that the application itself wrote, which a checksum is made of: components may change what they add.
    var written: SQL? {
        switch self {
        case .sql(let sql), .change(_, let sql): sql
        case .requirement: nil
        }
    }

    /// The statements to run, with those that components add.
    func statements(_ components: [SchemaComponent]) throws -> [Statement] {
        switch self {
        case .sql(let sql):
            [try sql.statement()]
        case .change(let change, let sql):
            try (components.flatMap { $0.before(change) } + [sql] + components.flatMap { $0.after(change) })
                .map { try $0.statement() }
        case .requirement:
            []
        }
    }
}
