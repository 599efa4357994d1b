/// A row of a result.
public struct Row: Sendable {
    let rows: Rows
    let index: Int

    /// Decodes a column by its name.
    ///
    /// - Parameters:
    ///   - type: What to decode; optional when the column may be NULL.
    ///   - name: The column's name in the result.
    /// - Returns: The value.
    /// - Throws: ``DatabaseError`` with code `.missingColumn` that lists the columns there are, `.typeMismatch` or
    ///   `.decodingFailed` that names the column.
    /// - Complexity: O(1), but for the first call on a result.
    public func decode<Value: DatabaseDecodable>(_ type: Value.Type = Value.self, named name: String) throws -> Value {
        if let column = rows.result.column(named: name) { return try decode(type, at: column) }
        let names = rows.columnNames.map { "\"\($0)\"" }.joined(separator: ", ")
        throw DatabaseError(
            code: .missingColumn,
            message: "The result has no column \"\(name)\"; it has \(names).",
            column: name
        )
    }

    /// Decodes a column by its place.
    ///
    /// - Parameters:
    ///   - type: What to decode; optional when the column may be NULL.
    ///   - column: The place, from 0.
    /// - Returns: The value.
    /// - Throws: As ``decode(_:named:)``.
    public func decode<Value: DatabaseDecodable>(_ type: Value.Type = Value.self, at column: Int) throws -> Value {
        guard column >= 0, column < rows.result.columnCount else {
            throw DatabaseError(
                code: .missingColumn,
                message: "The result has no column \(column); it has \(rows.result.columnCount)."
            )
        }
        var decoder = RowDecoder(rows, table: nil)
        decoder.move(to: index, column: column)
        return try decoder.next()
    }
}
