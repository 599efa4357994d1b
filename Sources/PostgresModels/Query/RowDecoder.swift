/// Reads the columns of a row from left to right.
///
/// `init(row:)` of a ``Model`` gets one and calls ``next(_:)`` once per column, in the order of ``Model/columns``.
public struct RowDecoder {
    /// The objects that a layer above attached to the database.
    package let attachments: DatabaseAttachments

    private let result: QueryResult
    private let types: [DatabaseType]
    private let table: String?
    private var row = 0
    private var column = 0
    private var objects: [AnyObject?] = []

    init(_ rows: Rows, table: String?) {
        attachments = rows.attachments
        result = rows.result
        types = rows.types
        self.table = table
    }

    mutating func move(to row: Int, column: Int = 0) {
        self.row = row
        self.column = column
    }

    /// Reads the next column.
    ///
    /// - Parameter type: What to read; optional when the column may be NULL.
    /// - Returns: The value.
    /// - Throws: ``DatabaseError`` with code `.typeMismatch` or `.decodingFailed`, naming table and column, or
    ///   `.missingColumn` after the last one.
    @inlinable
    public mutating func next<Value: DatabaseDecodable>(_ type: Value.Type = Value.self) throws -> Value {
        let cell = try nextCell()
        do {
            return try Value.decode(cell)
        } catch {
            throw named(error)
        }
    }

    /// An object that is made once for the result and the column that comes next, and then shared by all rows.
    ///
    /// For layers above, which would otherwise look up the same thing for each row.
    ///
    /// - Parameters:
    ///   - type: The class.
    ///   - make: Makes the object at the first row.
    /// - Returns: The object.
    /// - Throws: What `make` throws.
    package mutating func cachedObject<Object: AnyObject & Sendable>(
        _ type: Object.Type,
        _ make: () throws -> Object
    ) throws -> Object {
        if column < objects.count, let object = objects[column] as? Object { return object }
        let object = try make()
        while objects.count <= column { objects.append(nil) }
        objects[column] = object
        return object
    }

    @usableFromInline
    mutating func nextCell() throws -> DatabaseCell? {
        guard column < types.count else {
            throw DatabaseError(
                code: .missingColumn,
                message: """
                    The model reads more columns than the \(types.count) of the result; init(row:) must read the \
                    columns that the model declares, in their order.
                    """,
                table: table
            )
        }
        defer { column += 1 }
        guard let bytes = result.cell(row: row, column: column) else { return nil }
        return DatabaseCell(bytes: bytes, type: types[column])
    }

    /// Adds the names that a cell does not know.
    @usableFromInline
    func named(_ error: any Error) -> any Error {
        guard var error = error as? DatabaseError else { return error }
        error.table = error.table ?? table
        error.column = error.column ?? result.columnName(column - 1)
        return error
    }
}
