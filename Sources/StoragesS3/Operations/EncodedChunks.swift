import NIOCore
import Storages

/// The chunks of an upload's body as they are stored: unchanged, or in a content coding.
///
/// Used by one task; not `Sendable`.
final class EncodedChunks {
    private let driver: BodyDriver
    private let source: WatchedSource
    private let encoder: (any ContentTransform)?
    private var input = ByteBuffer()
    private var hasEnded = false

    /// Makes the chunks of a body.
    ///
    /// - Parameters:
    ///   - driver: The body.
    ///   - coding: The content coding in which they are stored; `nil` to store them unchanged.
    ///   - limit: The longest that the source may deliver nothing; `nil` for a source that has limits of its own.
    init(_ driver: BodyDriver, _ coding: (any ContentCoding)?, sourceTimeout limit: Duration?) throws {
        self.driver = driver
        source = WatchedSource(driver, limit)
        encoder = try coding?.makeEncoder()
    }

    /// The number of bytes of the body that correspond to a number of stored bytes.
    ///
    /// - Parameter storedCount: The number of stored bytes that were handed out and used so far.
    func sourceByteCount(of storedCount: Int64) -> Int64 {
        encoder == nil ? storedCount : driver.byteCount
    }

    /// Returns the next chunk; `nil` after the last one.
    func next() async throws -> ByteBuffer? {
        guard let encoder else { return try await source.next() }
        while !hasEnded {
            if let chunk = try encoder.next(from: &input) { return chunk }
            if let chunk = try await source.next() {
                input = chunk
            } else {
                hasEnded = true
            }
        }
        return try encoder.finish()
    }
}
