/// A cell of a result that is not NULL: its bytes in binary format and its type.
///
/// The bytes belong to the result; a cell is for the duration of the call that gets it.
public struct DatabaseCell {
    /// The bytes.
    public let bytes: UnsafeRawBufferPointer

    /// The type that the server declared the column with.
    public let type: DatabaseType

    /// Makes a cell.
    ///
    /// - Parameters:
    ///   - bytes: The bytes, valid as long as the cell is used.
    ///   - type: Their type.
    @inlinable
    public init(bytes: UnsafeRawBufferPointer, type: DatabaseType) {
        self.bytes = bytes
        self.type = type
    }

    /// The whole number in the cell, whatever its width: columns are read by what the server sends, not by what Swift
    /// expects.
    ///
    /// - Returns: The number.
    /// - Throws: ``DatabaseError`` with code `.typeMismatch` when the column holds no whole number.
    @inlinable
    public func integer() throws -> Int64 {
        switch (type.oid, bytes.count) {
        case (20, 8): Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case (23, 4): Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case (21, 2): Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        // oid, regclass and their kind are unsigned.
        case (26, 4), (2205, 4), (28, 4), (29, 4): Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
        default: throw CellError.mismatch("a whole number", type)
        }
    }

    /// The text in the cell.
    ///
    /// - Returns: The text; the server sends valid UTF-8. Of a column that is no text it is of no use: `String`
    ///   asks for the type first.
    @inlinable
    public func text() -> String {
        bytes.withMemoryRebound(to: UInt8.self) { String(decoding: $0, as: UTF8.self) }
    }

    /// The text in a cell of a type that this library has no name for; nil when the bytes cannot be a text.
    ///
    /// Enums and `citext` are sent as their text. Composites, ranges, arrays and most others contain bytes that are 0,
    /// which no text of PostgreSQL does; `ltree` and its kin begin with a version, 1.
    @usableFromInline
    func textOfUserType() -> String? {
        guard type.oid >= DatabaseType.firstUserOID, bytes.first != 1, !bytes.contains(0) else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// The errors of cells, which do not know their column; ``RowDecoder`` and ``Row`` add it.
@usableFromInline
enum CellError {
    @usableFromInline
    static func null(_ type: String) -> DatabaseError {
        DatabaseError(
            code: .decodingFailed,
            message: "The column is NULL, but \(type) is not optional; declare the property as \(type)?."
        )
    }

    @usableFromInline
    static func mismatch(_ expected: String, _ type: DatabaseType) -> DatabaseError {
        DatabaseError(
            code: .typeMismatch,
            message: "The column has the type \(type.name), from which \(expected) cannot be read."
        )
    }

    @usableFromInline
    static func malformed(_ expected: String) -> DatabaseError {
        DatabaseError(code: .decodingFailed, message: "The bytes of the column are not those of \(expected).")
    }

    @usableFromInline
    static func range(_ type: String) -> DatabaseError {
        DatabaseError(code: .decodingFailed, message: "The value of the column does not fit \(type).")
    }
}

extension DatabaseType {
    /// The number below which are the types that PostgreSQL brings along (source, `FirstNormalObjectId`).
    static let firstUserOID: UInt32 = 16_384

    /// A name for messages: the common ones by their SQL names, others by their number.
    @usableFromInline var name: String {
        switch oid {
        case 16: "boolean"
        case 17: "bytea"
        case 20: "bigint"
        case 21: "smallint"
        case 23: "integer"
        case 25: "text"
        case 114: "json"
        case 700: "real"
        case 701: "double precision"
        case 1042: "char"
        case 1043: "varchar"
        case 1082: "date"
        case 1114: "timestamp"
        case 1184: "timestamptz"
        case 1700: "numeric"
        case 2950: "uuid"
        case 3802: "jsonb"
        case 1000: "boolean[]"
        case 1001: "bytea[]"
        case 1005: "smallint[]"
        case 1007: "integer[]"
        case 1009: "text[]"
        case 1016: "bigint[]"
        case 1021: "real[]"
        case 1022: "double precision[]"
        case 1185: "timestamptz[]"
        case 1231: "numeric[]"
        case 2951: "uuid[]"
        default: "with oid \(oid)"
        }
    }
}
