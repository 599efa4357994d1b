package import NIOCore

extension UploadBody {
    /// Looks at the beginning of the body without losing it: what a type is recognised by must be known before the
    /// first byte is sent.
    ///
    /// What is looked at is what will be sent: a file is opened once, and stays the same file whatever its path leads
    /// to afterwards.
    ///
    /// - Parameter count: How many bytes to look at, at most 256 KiB; fewer come from a shorter body.
    /// - Returns: The beginning, and the whole body to upload in place of this one.
    /// - Throws: As ``Chunks/AsyncIterator/next()``.
    package func peeking(at count: Int) async throws -> (beginning: ByteBuffer, body: UploadBody) {
        switch source {
        case .buffer(let buffer):
            return (UploadBody.beginning(of: buffer, count), self)
        case .openedFile(_, let buffer):
            return (UploadBody.beginning(of: buffer, count), self)
        case .file(let path):
            let (reader, buffer) = try await FileReader.open(path, readingFirst: largestChunk)
            let body = UploadBody(length: reader.length, source: .openedFile(reader, beginning: buffer))
            return (UploadBody.beginning(of: buffer, count), body)
        case .stream:
            var iterator = chunks.makeAsyncIterator()
            var read = ByteBuffer()
            while read.readableBytes < count, var chunk = try await iterator.next() {
                read.writeBuffer(&chunk)
            }
            let rest = Rest(beginning: read, iterator: iterator)
            let body = UploadBody(length: length, source: .stream(OneTimeSource { rest.take() }))
            return (UploadBody.beginning(of: read, count), body)
        }
    }

    private static func beginning(of buffer: ByteBuffer, _ count: Int) -> ByteBuffer {
        buffer.getSlice(at: buffer.readerIndex, length: Swift.min(count, buffer.readableBytes)) ?? ByteBuffer()
    }
}

/// The bytes that were read already and the iterator that has the remainder, on their way into the body that replays
/// both.
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
