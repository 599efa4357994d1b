import Foundation
public import NIOCore

/// Both may be used by many tasks at a time once they are set up, and setting up takes longer than a small value.
private let decoder = JSONDecoder()
private let encoder = JSONEncoder()

/// A `Codable` value kept in a column of type `jsonb`.
///
/// ```swift
/// var settings: JSON<Settings>
/// ```
public struct JSON<Value: Codable & Sendable>: Sendable {
    /// The value.
    public var value: Value

    /// Wraps a value.
    ///
    /// - Parameter value: The value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension JSON: Equatable where Value: Equatable {}
extension JSON: Hashable where Value: Hashable {}

extension JSON: DatabaseEncodable, DatabaseDecodable {
    /// `jsonb`.
    public static var databaseType: DatabaseType { .jsonb }

    /// Writes the version of the format, 1, and the text.
    ///
    /// - Throws: `EncodingError` when the value cannot be written as JSON.
    public func encode(into buffer: inout ByteBuffer) throws {
        buffer.writeInteger(1, as: UInt8.self)
        buffer.writeBytes(try encoder.encode(value))
    }

    /// Reads `jsonb` or `json`.
    ///
    /// - Throws: ``DatabaseError`` with code `.decodingFailed`, the `DecodingError` as its cause.
    public init(cell: DatabaseCell) throws {
        let text: Data
        switch cell.type {
        case .jsonb:
            guard cell.bytes.first == 1 else { throw CellError.malformed("jsonb") }
            text = Data(cell.bytes.dropFirst())
        case .json:
            text = Data(cell.bytes)
        default:
            throw CellError.mismatch("JSON", cell.type)
        }
        do {
            value = try decoder.decode(Value.self, from: text)
        } catch {
            var failure = CellError.malformed("\(Value.self) as JSON")
            failure.underlying = error
            throw failure
        }
    }
}
