public import NIOCore

extension Int16: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `smallint`.
    public static var databaseType: DatabaseType { .smallint }

    /// Writes two bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self)
    }

    /// Reads a whole number of any width that fits.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard let value = Int16(exactly: try cell.integer()) else { throw CellError.range("Int16") }
        self = value
    }
}

extension Int32: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `integer`.
    public static var databaseType: DatabaseType { .integer }

    /// Writes four bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self)
    }

    /// Reads a whole number of any width that fits.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard let value = Int32(exactly: try cell.integer()) else { throw CellError.range("Int32") }
        self = value
    }
}

extension Int64: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `bigint`.
    public static var databaseType: DatabaseType { .bigint }

    /// Writes eight bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self)
    }

    /// Reads a whole number of any width.
    @inlinable
    public init(cell: DatabaseCell) throws {
        self = try cell.integer()
    }
}

extension Int: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `bigint`.
    public static var databaseType: DatabaseType { .bigint }

    /// Writes eight bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(Int64(self))
    }

    /// Reads a whole number of any width that fits.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard let value = Int(exactly: try cell.integer()) else { throw CellError.range("Int") }
        self = value
    }
}

extension UInt32: DatabaseEncodable, DatabaseDecodable {
    /// `bigint`: PostgreSQL has no unsigned integers besides `oid`.
    public static var databaseType: DatabaseType { .bigint }

    /// Writes eight bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(Int64(self))
    }

    /// Reads a whole number of any width that fits.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard let value = UInt32(exactly: try cell.integer()) else { throw CellError.range("UInt32") }
        self = value
    }
}
