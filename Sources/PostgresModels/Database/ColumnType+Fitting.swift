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
    /// Returns whether a model that expects this type can be used with a column: read from it and written to it.
    func fits(_ column: ActualColumn) -> Bool {
        // With a precision: numeric(12, 2).
        let type = DatabaseType(named: sql) ?? (sql.hasPrefix("numeric") ? .numeric : nil)
        // A type that this library does not know by name: the server's own check is all there is.
        guard let columns = type?.fittingColumns else { return true }
        return columns.contains(column.type) || isText(column)
    }

    /// `citext`, an extension's type, whose number differs between databases.
    private func isText(_ column: ActualColumn) -> Bool {
        sql == "text" && column.typeName == "citext"
    }
}
