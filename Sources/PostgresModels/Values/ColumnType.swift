/// The type of a column, as SQL writes it.
public struct ColumnType: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The type in SQL.
    public let sql: String

    /// Creates a type from its SQL.
    ///
    /// It goes into statements as it is: never make one from input.
    ///
    /// - Parameter value: The SQL, for example `"numeric(12, 2)"`.
    public init(stringLiteral value: String) {
        sql = value
    }

    init(_ type: DatabaseType) {
        sql = type.name
    }
}
