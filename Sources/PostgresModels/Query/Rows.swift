/// The rows of a result, kept as the server sent them and decoded when they are asked for.
public struct Rows: RandomAccessCollection, Sendable {
    let result: QueryResult
    let types: [DatabaseType]

    /// The objects that a layer above attached to the database.
    package let attachments: DatabaseAttachments

    package init(_ result: QueryResult, attachments: DatabaseAttachments) {
        self.result = result
        self.attachments = attachments
        types = (0..<result.columnCount).map { DatabaseType(oid: result.columnOID($0)) }
    }

    /// The first position, 0.
    public var startIndex: Int { 0 }

    /// The number of rows.
    public var endIndex: Int { result.rowCount }

    /// The names of the columns, as the server gave them.
    public var columnNames: [String] {
        (0..<result.columnCount).map { result.columnName($0) }
    }

    /// The number of rows that an INSERT, UPDATE, DELETE or MERGE touched, or a SELECT returned.
    public var affectedRows: Int { result.affectedRows }

    /// The row at a position.
    ///
    /// - Parameter position: Its place, from 0.
    public subscript(position: Int) -> Row {
        precondition(position >= 0 && position < result.rowCount, "There is no row \(position)")
        return Row(rows: self, index: position)
    }

    /// Decodes all rows into models.
    ///
    /// - Parameter type: The model; the columns of the result must be its ``Model/columns`` in order.
    /// - Returns: One model per row.
    /// - Throws: ``DatabaseError`` that names the table and the column that does not fit; what a layer above throws for
    ///   its own columns.
    public func decode<M: Model>(_ type: M.Type) throws -> [M] {
        guard result.rowCount > 0 else { return [] }
        var decoder = try decoder(for: M.self)
        var models: [M] = []
        models.reserveCapacity(result.rowCount)
        for row in 0..<result.rowCount {
            decoder.move(to: row)
            models.append(try M(row: &decoder))
        }
        return models
    }

    /// The decoder with which the rows are read as models.
    func decoder<M: Model>(for model: M.Type) throws -> RowDecoder {
        guard result.columnCount == M.columns.count else {
            throw DatabaseError(
                code: .missingColumn,
                message: """
                    The result has \(result.columnCount) columns, the model of "\(M.table)" has \(M.columns.count).
                    """,
                table: M.table
            )
        }
        return RowDecoder(self, table: M.table)
    }
}
