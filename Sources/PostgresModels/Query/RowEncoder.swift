/// Collects the values of a row from left to right.
///
/// `encode(into:)` of a ``Model`` gets one and calls ``encode(_:)`` once per column, in the order of
/// ``Model/columns``. Which of them are written is decided by the caller: all, or some for an update.
public struct RowEncoder {
    /// The objects that a layer above attached to the database.
    package let attachments: DatabaseAttachments

    var parameters = QueryParameters()
    private let columns: [ModelColumn]
    private let isWanted: [Bool]
    private var column = 0
    private let table: String

    init(columns: [ModelColumn], wanted: [Bool], table: String, attachments: DatabaseAttachments) {
        self.columns = columns
        isWanted = wanted
        self.table = table
        self.attachments = attachments
    }

    /// Writes the next column.
    ///
    /// - Parameter value: The value; `nil` is NULL.
    /// - Throws: ``DatabaseError`` with code `.invalidArgument` that names the column when PostgreSQL cannot hold the
    ///   value, or when there are more values than columns.
    public mutating func encode<Value: DatabaseEncodable>(_ value: Value?) throws {
        guard column < columns.count else {
            throw DatabaseError(
                code: .invalidArgument,
                message: """
                    encode(into:) writes more values than the \(columns.count) columns that the model declares.
                    """,
                table: table
            )
        }
        defer { column += 1 }
        guard isWanted[column] else { return }
        guard let value else { return parameters.appendNull(oid: Value.databaseType.oid) }
        do {
            try parameters.append(oid: Value.databaseType.oid) { try value.encode(into: &$0) }
        } catch var failure as DatabaseError {
            failure.table = table
            failure.column = columns[column].name
            throw failure
        }
    }

    /// Ends a row, and begins another.
    mutating func finishRow() throws {
        guard column == columns.count else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "encode(into:) writes \(column) values, the model declares \(columns.count) columns.",
                table: table
            )
        }
        column = 0
    }
}
