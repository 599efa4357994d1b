public import Foundation
public import NIOCore

extension UUID: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `uuid`.
    public static var databaseType: DatabaseType { .uuid }

    /// Writes sixteen bytes.
    public func encode(into buffer: inout ByteBuffer) {
        withUnsafeBytes(of: uuid) { _ = buffer.writeBytes($0) }
    }

    /// Reads a `uuid`.
    public init(cell: DatabaseCell) throws {
        guard cell.type == .uuid, cell.bytes.count == 16 else { throw CellError.mismatch("UUID", cell.type) }
        self.init(uuid: cell.bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `timestamptz`.
    public static var databaseType: DatabaseType { .timestamptz }

    /// Seconds between 1970-01-01 and 2000-01-01, from where PostgreSQL counts microseconds.
    private static let postgresEpoch: Double = 946_684_800

    /// The microseconds of Julian day 0 and of the end of 294276 AD, the limits in PostgreSQL's
    /// `datatype/timestamp.h`.
    private static let postgresRange: Range<Int64> = -211_813_488_000_000_000..<9_223_371_331_200_000_000

    /// Writes microseconds since 2000-01-01; `Date.distantPast` and `Date.distantFuture` are `-infinity` and
    /// `infinity`.
    ///
    /// - Throws: ``DatabaseError`` with code `.invalidArgument` for a date outside of 4713 BC to 294276 AD.
    public func encode(into buffer: inout ByteBuffer) throws {
        if self == .distantFuture { return buffer.writeTimestamp(.max) }
        if self == .distantPast { return buffer.writeTimestamp(.min) }
        let microseconds = ((timeIntervalSince1970 - Self.postgresEpoch) * 1_000_000).rounded()
        guard let value = Int64(exactly: microseconds), Self.postgresRange.contains(value) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "A date lies outside of what timestamptz can hold, 4713 BC to 294276 AD."
            )
        }
        buffer.writeTimestamp(value)
    }

    /// Reads `timestamptz`, or `timestamp` and `date` as UTC; `infinity` is `Date.distantFuture`.
    public init(cell: DatabaseCell) throws {
        switch (cell.type, cell.bytes.count) {
        case (.timestamptz, 8), (.timestamp, 8):
            switch Int64(bigEndian: cell.bytes.loadUnaligned(as: Int64.self)) {
            // Adding the epoch to these would overflow: they are not points in time but infinities.
            case .max: self = .distantFuture
            case .min: self = .distantPast
            case let value: self.init(timeIntervalSince1970: Double(value) / 1_000_000 + Self.postgresEpoch)
            }
        case (.date, 4):
            switch Int32(bigEndian: cell.bytes.loadUnaligned(as: Int32.self)) {
            case .max: self = .distantFuture
            case .min: self = .distantPast
            case let days: self.init(timeIntervalSince1970: Double(days) * 86_400 + Self.postgresEpoch)
            }
        default:
            throw CellError.mismatch("Date", cell.type)
        }
    }
}

extension ByteBuffer {
    fileprivate mutating func writeTimestamp(_ value: Int64) {
        writeInteger(value)
    }
}

extension Data: DatabaseEncodable, DatabaseDecodable, DatabaseArrayElement {
    /// `bytea`.
    public static var databaseType: DatabaseType { .bytea }

    /// Writes the bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeBytes(self)
    }

    /// Reads `bytea`.
    public init(cell: DatabaseCell) throws {
        guard cell.type == .bytea else { throw CellError.mismatch("Data", cell.type) }
        self.init(cell.bytes)
    }
}

extension ByteBuffer: DatabaseEncodable, DatabaseDecodable {
    /// `bytea`.
    public static var databaseType: DatabaseType { .bytea }

    /// Writes the readable bytes.
    public func encode(into buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(self)
    }

    /// Reads `bytea`.
    public init(cell: DatabaseCell) throws {
        guard cell.type == .bytea else { throw CellError.mismatch("ByteBuffer", cell.type) }
        self.init(bytes: cell.bytes)
    }
}
