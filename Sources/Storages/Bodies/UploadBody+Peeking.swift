package import NIOCore

extension UploadBody {
    /// Looks at the beginning of the body without losing it: what a type is recognised by must be known before the
    /// first byte is sent.
    ///
    /// - Parameter count: How many bytes to look at; fewer come from a shorter body.
    /// - Returns: The beginning, and the whole body to upload in place of this one.
    /// - Throws: As ``Chunks/AsyncIterator/next()``.
    package func peeking(at count: Int) async throws -> (beginning: ByteBuffer, body: UploadBody) {
        switch source {
        case .buffer(var buffer):
            return (buffer.readSlice(length: Swift.min(count, buffer.readableBytes)) ?? ByteBuffer(), self)
        case .file(let path):
            let beginning = try await FileReader.open(path).read(at: 0, atMost: count)
            return (beginning ?? ByteBuffer(), self)
        case .stream:
            var iterator = chunks.makeAsyncIterator()
            var read = ByteBuffer()
            while read.readableBytes < count, var chunk = try await iterator.next() {
                read.writeBuffer(&chunk)
            }
            let beginning = read.getSlice(at: read.readerIndex, length: Swift.min(count, read.readableBytes))
            let rest = Rest(beginning: read, iterator: iterator)
            let body = UploadBody(length: length, source: .stream(OneTimeSource { rest.take() }))
            return (beginning ?? ByteBuffer(), body)
        }
    }
}

/// What was read already and the iterator that has the remainder, on their way into the body that replays both.
//
// @unchecked: an iterator is not Sendable, but this one has exactly one reader: the OneTimeSource that holds the box
// calls `take` at most once.
private final class Rest: @unchecked Sendable {
    private let beginning: ByteBuffer
    private let iterator: UploadBody.Chunks.AsyncIterator

    init(beginning: ByteBuffer, iterator: UploadBody.Chunks.AsyncIterator) {
        self.beginning = beginning
        self.iterator = iterator
    }

    func take() -> () async throws -> ByteBuffer? {
        var pending: ByteBuffer? = beginning.readableBytes > 0 ? beginning : nil
        var iterator = iterator
        return {
            if let chunk = pending {
                pending = nil
                return chunk
            }
            return try await iterator.next()
        }
    }
}
