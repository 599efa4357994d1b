import NIOCore

/// The bytes that have arrived and that nobody has taken yet.
///
/// What is handed out shares no memory with what stays, so the thread that takes and the one that adds never meet in
/// it.
struct ReceivedBytes {
    /// The most bytes that are handed out at once.
    private static let largestChunk = 256 * 1024

    private(set) var byteCount = 0
    /// The chunks that are full, the oldest first: a handful.
    private var full: [ByteBuffer] = []
    private var last = ByteBuffer()

    /// Adds bytes, fewer than a chunk may have.
    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if last.readableBytes > 0, last.readableBytes + bytes.count > Self.largestChunk {
            full.append(last)
            last = ByteBuffer()
        }
        last.writeBytes(bytes)
        byteCount += bytes.count
    }

    /// Returns the oldest bytes, as many as go into a chunk; `nil` when there are none.
    mutating func take() -> ByteBuffer? {
        guard byteCount > 0 else { return nil }
        let chunk: ByteBuffer
        if full.isEmpty {
            chunk = last
            last = ByteBuffer()
        } else {
            chunk = full.removeFirst()
        }
        byteCount -= chunk.readableBytes
        return chunk
    }
}
