/// A value that can be made from a cell of a result.
public protocol DatabaseDecodable: Sendable {
    /// Reads a cell that is not NULL.
    ///
    /// - Parameter cell: The bytes and their type, valid during the call.
    /// - Throws: ``DatabaseError`` with code `.typeMismatch` when the type of the column is none that the value can be
    ///   read from, `.decodingFailed` when the bytes do not fit. The caller adds the column's name.
    init(cell: DatabaseCell) throws

    /// Reads a cell that may be NULL.
    ///
    /// - Parameter cell: The cell, or `nil` for NULL.
    /// - Returns: The value.
    /// - Throws: As ``init(cell:)``; for a type that is not optional ``DatabaseError`` with code `.decodingFailed` when
    ///   the cell is NULL.
    static func decode(_ cell: DatabaseCell?) throws -> Self
}

extension DatabaseDecodable {
    /// Reads a cell that must not be NULL.
    ///
    /// - Parameter cell: The cell, or `nil` for NULL.
    /// - Returns: The value.
    /// - Throws: As the requirement says.
    @inlinable
    public static func decode(_ cell: DatabaseCell?) throws -> Self {
        guard let cell else { throw CellError.null("\(Self.self)") }
        return try Self(cell: cell)
    }
}

/// A value that can be bound and read.
public typealias DatabaseValue = DatabaseDecodable & DatabaseEncodable
