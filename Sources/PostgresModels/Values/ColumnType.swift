/// The type of a column, as SQL writes it.
public struct ColumnType: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The type in SQL.
    public let sql: String

    /// A type by its SQL.
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

    /// `boolean`.
    public static let boolean: ColumnType = "boolean"
    /// `smallint`, 2 bytes.
    public static let smallint: ColumnType = "smallint"
    /// `integer`, 4 bytes.
    public static let integer: ColumnType = "integer"
    /// `bigint`, 8 bytes.
    public static let bigint: ColumnType = "bigint"
    /// `real`, 4 bytes.
    public static let real: ColumnType = "real"
    /// `double precision`, 8 bytes.
    public static let double: ColumnType = "double precision"
    /// `numeric`, of any precision; `"numeric(12, 2)"` is one, too.
    public static let numeric: ColumnType = "numeric"
    /// `text`.
    public static let text: ColumnType = "text"
    /// `uuid`.
    public static let uuid: ColumnType = "uuid"
    /// `timestamptz`.
    public static let timestamptz: ColumnType = "timestamptz"
    /// `date`.
    public static let date: ColumnType = "date"
    /// `bytea`.
    public static let bytea: ColumnType = "bytea"
    /// `jsonb`.
    public static let jsonb: ColumnType = "jsonb"
}
