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
        switch (type, bytes.count) {
        case (.bigint, 8): Int64(bigEndian: bytes.loadUnaligned(as: Int64.self))
        case (.integer, 4): Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
        case (.smallint, 2): Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self)))
        // These are unsigned.
        case (.objectIdentifier, 4), (.relation, 4), (.transactionIdentifier, 4), (.commandIdentifier, 4):
            Int64(UInt32(bigEndian: bytes.loadUnaligned(as: UInt32.self)))
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
