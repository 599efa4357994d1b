import NIOCore
import Storages

/// The chunks of a body as they are stored: as they are, or in a content coding.
///
/// Used by one task; not `Sendable`.
final class EncodedChunks {
    private let driver: BodyDriver
    private let encoder: (any ContentTransform)?
    private var input = ByteBuffer()
    private var hasEnded = false

    init(_ driver: BodyDriver, _ coding: (any ContentCoding)?) throws {
        self.driver = driver
        encoder = try coding?.makeEncoder()
    }

    /// The bytes of the body behind so many stored ones.
    ///
    /// - Parameter storedCount: The bytes that were handed out and used so far.
    func sourceByteCount(of storedCount: Int64) -> Int64 {
        encoder == nil ? storedCount : driver.byteCount
    }

    /// The next chunk; `nil` after the last one.
    func next() async throws -> ByteBuffer? {
        guard let encoder else { return try await driver.next() }
        while !hasEnded {
            if let chunk = try encoder.next(from: &input) { return chunk }
            if let chunk = try await driver.next() {
                input = chunk
            } else {
                hasEnded = true
            }
        }
        return try encoder.finish()
    }
}
