public import NIOCore

extension Bool: DatabaseEncodable, DatabaseDecodable {
    /// `boolean`.
    public static var databaseType: DatabaseType { .boolean }

    /// Writes one byte.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(self ? 1 : 0, as: UInt8.self)
    }

    /// Reads a `boolean`.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard cell.type == .boolean, cell.bytes.count == 1 else { throw CellError.mismatch("Bool", cell.type) }
        self = cell.bytes[0] != 0
    }
}

extension Double: DatabaseEncodable, DatabaseDecodable {
    /// `double precision`.
    public static var databaseType: DatabaseType { .double }

    /// Writes eight bytes, IEEE 754.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(bitPattern)
    }

    /// Reads `double precision` or `real`.
    @inlinable
    public init(cell: DatabaseCell) throws {
        switch (cell.type.oid, cell.bytes.count) {
        case (701, 8): self = Double(bitPattern: UInt64(bigEndian: cell.bytes.loadUnaligned(as: UInt64.self)))
        case (700, 4): self = Double(Float(bitPattern: UInt32(bigEndian: cell.bytes.loadUnaligned(as: UInt32.self))))
        default: throw CellError.mismatch("Double", cell.type)
        }
    }
}

extension Float: DatabaseEncodable, DatabaseDecodable {
    /// `real`.
    public static var databaseType: DatabaseType { .real }

    /// Writes four bytes, IEEE 754.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(bitPattern)
    }

    /// Reads `real`; `double precision` is refused, because it would lose digits silently.
    @inlinable
    public init(cell: DatabaseCell) throws {
        guard cell.type == .real, cell.bytes.count == 4 else { throw CellError.mismatch("Float", cell.type) }
        self = Float(bitPattern: UInt32(bigEndian: cell.bytes.loadUnaligned(as: UInt32.self)))
    }
}

extension String: DatabaseEncodable, DatabaseDecodable {
    /// `text`.
    public static var databaseType: DatabaseType { .text }

    /// Writes the UTF-8 bytes.
    ///
    /// - Throws: ``DatabaseError`` with code `.invalidArgument` for a NUL, which PostgreSQL's `text` cannot hold.
    public func encode(into buffer: inout ByteBuffer) throws {
        guard !utf8.contains(0) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "A text with the character U+0000 cannot be stored in PostgreSQL; remove it or use bytea."
            )
        }
        buffer.writeString(self)
    }

    /// Reads any type whose binary format is its text: `text`, `varchar`, `name`, `json`, `xml`, enums and domains.
    @inlinable
    public init(cell: DatabaseCell) throws {
        switch cell.type.oid {
        case 16, 17, 20, 21, 23, 26, 700, 701, 1082, 1083, 1114, 1184, 1186, 1266, 1700, 2950, 3802:
            throw CellError.mismatch("String", cell.type)
        default:
            self = cell.text()
        }
    }
}
