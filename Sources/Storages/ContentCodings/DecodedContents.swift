public import NIOCore

/// The bytes of a file as they were before a content coding: an asynchronous sequence of buffers, whose size is known
/// only at the end.
///
/// Memory stays constant however far a file expands. Like the ``StoredContents`` it reads from it can be read once.
public struct DecodedContents: AsyncSequence, Sendable {
    /// A chunk of 1 byte to 256 KiB.
    public typealias Element = ByteBuffer
    /// Reading can fail with ``StorageError`` or `CancellationError`.
    public typealias Failure = any Error

    /// The properties of the stored file; its size and entity tag are those of the encoded bytes.
    public let info: FileInfo

    let contents: StoredContents
    /// The coding to undo; `nil` when the bytes are stored as they are.
    let coding: (any ContentCoding)?

    /// Reads everything into one buffer.
    ///
    /// - Parameter limit: The most bytes to hold, decoded.
    /// - Returns: The decoded bytes.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/tooLarge`` as soon as there are more, and what reading
    ///   throws.
    /// - Complexity: O(n) time and memory in the decoded bytes, of which at most 256 KiB more than the limit are held.
    public func collect(upTo limit: Int) async throws -> ByteBuffer {
        // A buffer counts its bytes in 32 bits.
        let limit = Swift.min(limit, Int(UInt32.max))
        var result = ByteBuffer()
        var iterator = makeAsyncIterator()
        while var chunk = try await iterator.next() {
            guard result.readableBytes + chunk.readableBytes <= limit else {
                throw StorageError(
                    .tooLarge,
                    "The decoded contents have more than the \(limit) bytes to collect. Raise the limit, or iterate "
                        + "over the chunks.",
                    name: info.name
                )
            }
            result.writeBuffer(&chunk)
        }
        return result
    }

    /// Starts reading; only the first iterator gets the bytes.
    ///
    /// - Returns: An iterator over the decoded chunks.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(name: info.name, source: contents.makeAsyncIterator(), coding: coding)
    }

    /// Delivers the chunks of ``DecodedContents``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let name: StorageName
        var source: StoredContents.AsyncIterator
        let coding: (any ContentCoding)?
        var decoder: (any ContentTransform)?
        var input = ByteBuffer()
        var state = State.reading

        enum State {
            case reading, finishing, finished
        }

        init(name: StorageName, source: StoredContents.AsyncIterator, coding: (any ContentCoding)?) {
            self.name = name
            self.source = source
            self.coding = coding
        }

        /// The next chunk.
        ///
        /// - Returns: A chunk, never empty; `nil` after the last one.
        /// - Throws: ``StorageError``, with code ``StorageError/Code/corrupted`` when the bytes are not what the coding
        ///   makes; `CancellationError`.
        public mutating func next() async throws -> ByteBuffer? {
            guard let coding else { return try await source.next() }
            do {
                return try await advance(coding)
            } catch {
                end()
                guard var error = error as? StorageError, error.name == nil else { throw error }
                error.name = name.string
                throw error
            }
        }

        private mutating func advance(_ coding: any ContentCoding) async throws -> ByteBuffer? {
            while state != .finished {
                let decoder = try self.decoder ?? coding.makeDecoder()
                self.decoder = decoder
                try Task.checkCancellation()
                if state == .finishing {
                    if let chunk = try decoder.finish() { return chunk }
                    end()
                } else if let chunk = try decoder.next(from: &input) {
                    return chunk
                } else if let chunk = try await source.next() {
                    input = chunk
                } else {
                    state = .finishing
                }
            }
            return nil
        }

        // Letting go of the decoder frees what it holds, although the iterator may live on.
        private mutating func end() {
            state = .finished
            decoder = nil
            input = ByteBuffer()
        }
    }
}
