/// A column as the database has it, domains taken off.
struct ActualColumn {
    var type: DatabaseType
    /// The name of the type without its schema, such as "citext".
    var typeName: String
    /// The type as SQL writes it, the domain's name for a domain.
    var shown: String
    /// A Boolean value that indicates whether the column, or its domain, refuses NULL.
    var isRequired: Bool
}

extension ColumnType {
    /// Returns whether a model that expects this type can be used with a column.
    ///
    /// Reading: what the Swift types accept. Writing: parameters have the model's type, and PostgreSQL casts them to
    /// the column's by itself only where it has an assignment cast (manual, CREATE CAST): none from `text` to enums,
    /// `inet`, `json`, `xml` or `uuid`, for example, although text can be written out in SQL for all of them.
    func fits(_ column: ActualColumn) -> Bool {
        if let oids = Self.fitting[sql] { return oids.contains(column.type.oid) || isText(column) }
        // With a precision: numeric(12, 2).
        if sql.hasPrefix("numeric") { return column.type == .numeric }
        // A type that this library does not know by name: the server's own check is all there is.
        return true
    }

    /// `citext`, an extension's type, whose number differs between databases.
    private func isText(_ column: ActualColumn) -> Bool {
        sql == "text" && column.typeName == "citext"
    }

    /// Columns by the model's type.
    ///
    /// Whole numbers of all widths fit each other: what is too large is refused.
    private static let fitting: [String: Set<UInt32>] = [
        "smallint": integers, "integer": integers, "bigint": integers.union([26]),
        "boolean": [16],
        "real": [700], "double precision": [701, 700],
        "numeric": [1700],
        // text, varchar, char(n), "char", name.
        "text": [25, 1043, 1042, 18, 19],
        "uuid": [2950],
        "timestamptz": moments, "date": moments,
        "bytea": [17],
        "jsonb": [3802, 114],
        "boolean[]": [1000], "bytea[]": [1001],
        "smallint[]": [1005, 1007, 1016], "integer[]": [1005, 1007, 1016], "bigint[]": [1005, 1007, 1016],
        "real[]": [1021], "double precision[]": [1022, 1021],
        "numeric[]": [1231],
        "text[]": [1009, 1015, 1014, 1003],
        "uuid[]": [2951],
        "timestamptz[]": [1185, 1115, 1182],
    ]
    private static let integers: Set<UInt32> = [20, 21, 23]
    private static let moments: Set<UInt32> = [1184, 1114, 1082]
}
