public import NIOCore

extension RawRepresentable where Self: Sendable, RawValue: DatabaseEncodable {
    /// The type of the raw value.
    public static var databaseType: DatabaseType { RawValue.databaseType }

    /// Writes the raw value.
    public func encode(into buffer: inout ByteBuffer) throws {
        try rawValue.encode(into: &buffer)
    }
}

extension RawRepresentable where Self: Sendable, RawValue: DatabaseDecodable {
    /// Reads the raw value; one that the type does not know is an error.
    ///
    /// Declare `enum Status: String, DatabaseEncodable, DatabaseDecodable` to get both.
    public init(cell: DatabaseCell) throws {
        guard let value = Self(rawValue: try RawValue(cell: cell)) else { throw CellError.range("\(Self.self)") }
        self = value
    }
}
