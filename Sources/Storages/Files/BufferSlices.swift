import NIOCore

/// The most bytes a chunk has, here and in every storage of the package: 256 KiB.
package let largestChunk = 256 * 1024

/// A buffer handed out in slices of at most ``largestChunk`` bytes, without copying.
struct BufferSlices: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let buffer: ByteBuffer

    init(_ buffer: ByteBuffer) {
        self.buffer = buffer
    }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(rest: buffer)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ByteBuffer

        mutating func next() async throws -> ByteBuffer? {
            guard rest.readableBytes > 0 else { return nil }
            return rest.readSlice(length: Swift.min(rest.readableBytes, largestChunk))
        }
    }
}
