public import NIOCore

/// A value that may be an element of a PostgreSQL array.
///
/// `UInt8` is none: `[UInt8]` is `bytea`.
public protocol DatabaseArrayElement: DatabaseArrayStorage, DatabaseDecodable, DatabaseEncodable {
    /// The type of an array of these.
    static var arrayType: DatabaseType { get }
}

extension DatabaseArrayElement {
    /// The array type that PostgreSQL has for ``DatabaseEncodable/databaseType``, or 0, for which the server takes the
    /// type from the statement, when the library knows none.
    public static var arrayType: DatabaseType { databaseType.array ?? DatabaseType(oid: 0) }
}

/// `bytea`, or an array of PostgreSQL when the elements are values.
extension Array: DatabaseEncodable where Element: DatabaseArrayStorage {
    /// `bytea` for bytes, the element's array type otherwise.
    public static var databaseType: DatabaseType { Element.storageType }

    /// Writes the bytes, or a one-dimensional array.
    public func encode(into buffer: inout ByteBuffer) throws {
        try Element.write(self, into: &buffer)
    }
}

extension Array: DatabaseDecodable where Element: DatabaseArrayStorage {
    /// Reads the bytes, or a one-dimensional array without NULLs.
    public init(cell: DatabaseCell) throws {
        self = try Element.read(cell)
    }
}

/// The form in which an array of these is kept: `UInt8` as `bytea`, ``DatabaseArrayElement`` as an array.
public protocol DatabaseArrayStorage: Sendable {
    /// The type of the whole.
    static var storageType: DatabaseType { get }
    /// Writes the whole.
    static func write(_ array: [Self], into buffer: inout ByteBuffer) throws
    /// Reads the whole.
    static func read(_ cell: DatabaseCell) throws -> [Self]
}

extension UInt8: DatabaseArrayStorage {
    /// `bytea`.
    public static var storageType: DatabaseType { .bytea }

    /// Writes the bytes.
    public static func write(_ array: [UInt8], into buffer: inout ByteBuffer) {
        buffer.writeBytes(array)
    }

    /// Reads the bytes.
    public static func read(_ cell: DatabaseCell) throws -> [UInt8] {
        guard cell.type == .bytea else { throw CellError.mismatch("[UInt8]", cell.type) }
        return Array(cell.bytes)
    }
}

extension DatabaseArrayElement {
    /// The array type.
    public static var storageType: DatabaseType { arrayType }

    /// Writes the dimensions and the elements (PostgreSQL source, `array_send`).
    public static func write(_ array: [Self], into buffer: inout ByteBuffer) throws {
        guard let count = Int32(exactly: array.count) else {
            throw DatabaseError(code: .invalidArgument, message: "An array has more elements than PostgreSQL can hold.")
        }
        buffer.writeMultipleIntegers(Int32(count == 0 ? 0 : 1), Int32(0), databaseType.oid)
        guard count > 0 else { return }
        buffer.writeMultipleIntegers(count, Int32(1))
        for element in array {
            let start = buffer.writerIndex
            buffer.writeInteger(Int32(0))
            try element.encode(into: &buffer)
            guard let length = Int32(exactly: buffer.writerIndex - start - 4) else {
                throw DatabaseError(
                    code: .invalidArgument,
                    message: "An element of an array is larger than PostgreSQL can hold."
                )
            }
            buffer.setInteger(length, at: start)
        }
    }

    /// Reads an array of one dimension, whatever its lower bound.
    ///
    /// - Throws: ``DatabaseError`` with code `.typeMismatch` for more dimensions, `.decodingFailed` for a NULL element.
    public static func read(_ cell: DatabaseCell) throws -> [Self] {
        var bytes = ByteBuffer(bytes: cell.bytes)
        guard let (dimensions, flags, type) = bytes.readMultipleIntegers(as: (Int32, Int32, UInt32).self) else {
            throw CellError.malformed("an array")
        }
        // A value of another type may look like an empty array, as a uuid of zeros does; but every array names the type
        // of its elements.
        guard type != 0, 0...1 ~= flags else { throw CellError.mismatch("an array", cell.type) }
        if dimensions == 0 { return [] }
        guard dimensions == 1, let (count, _) = bytes.readMultipleIntegers(as: (Int32, Int32).self), count >= 0 else {
            throw CellError.mismatch("an array of one dimension", cell.type)
        }
        var elements: [Self] = []
        for _ in 0..<count {
            guard let length = bytes.readInteger(as: Int32.self) else { throw CellError.malformed("an array") }
            guard length >= 0 else { throw CellError.null("\(Self.self)") }
            guard let slice = bytes.readSlice(length: Int(length)) else { throw CellError.malformed("an array") }
            elements.append(
                try slice.withUnsafeReadableBytes {
                    try Self(cell: DatabaseCell(bytes: $0, type: DatabaseType(oid: type)))
                }
            )
        }
        return elements
    }
}
