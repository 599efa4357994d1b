/// A change of a table that a ``SchemaComponent`` may have to accompany.
package enum SchemaChange: Hashable, Sendable {
    /// A table is dropped.
    case dropTable(String)
    /// A column of a table is dropped.
    case dropColumn(String, table: String)
    /// A column of a table gets a new name.
    case renameColumn(String, table: String, newName: String)
}
