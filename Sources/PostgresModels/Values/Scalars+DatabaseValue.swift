public import NIOCore

extension Bool: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
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

extension Double: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `double precision`.
    public static var databaseType: DatabaseType { .double }

    /// Writes eight bytes, IEEE 754.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeInteger(bitPattern)
    }

    /// Reads `double precision` or `real`.
    @inlinable
    public init(cell: DatabaseCell) throws {
        switch (cell.type, cell.bytes.count) {
        case (.double, 8): self = Double(bitPattern: UInt64(bigEndian: cell.bytes.loadUnaligned(as: UInt64.self)))
        case (.real, 4): self = Double(Float(bitPattern: UInt32(bigEndian: cell.bytes.loadUnaligned(as: UInt32.self))))
        default: throw CellError.mismatch("Double", cell.type)
        }
    }
}

extension Float: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
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

extension String: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
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

    /// Reads what PostgreSQL sends as text: `text`, `varchar`, `char`, `name`, `json`, `xml`, domains of them, and
    /// types made by users whose binary format is text, such as enums and `citext`.
    ///
    /// Everything else (numbers, dates, `inet`, ranges, arrays, …) is refused; cast it to `text` in the query.
    @inlinable
    public init(cell: DatabaseCell) throws {
        switch cell.type {
        case .text, .varchar, .character, .singleByte, .identifier, .json, .xml, .undetermined, .cursor:
            self = cell.text()
        default:
            guard let text = cell.textOfUserType() else { throw CellError.mismatch("String", cell.type) }
            self = text
        }
    }
}
