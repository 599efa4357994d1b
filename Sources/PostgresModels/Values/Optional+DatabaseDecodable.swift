extension Optional: DatabaseDecodable where Wrapped: DatabaseDecodable {
    /// Reads a cell that is not NULL.
    @inlinable
    public init(cell: DatabaseCell) throws {
        self = .some(try Wrapped(cell: cell))
    }

    /// Reads a cell, NULL as `nil`.
    @inlinable
    public static func decode(_ cell: DatabaseCell?) throws -> Wrapped? {
        guard let cell else { return nil }
        return try Wrapped(cell: cell)
    }
}
