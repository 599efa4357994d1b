public import NIOCore
import Synchronization

extension UploadBody {
    /// The bytes of a body, in chunks of 1 byte to 256 KiB, each read when it is asked for.
    public struct Chunks: AsyncSequence, Sendable {
        /// A chunk of bytes, never empty.
        public typealias Element = ByteBuffer
        /// Reading can fail with ``StorageError`` or `CancellationError`.
        public typealias Failure = any Error

        let body: UploadBody

        /// Starts reading.
        ///
        /// - Returns: An iterator over the chunks.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(state: .notStarted(body.source), expected: body.length)
        }

        /// Delivers the chunks of a body.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var state: State
            var expected: Int64?
            var delivered: Int64 = 0
            var rest = ByteBuffer()

            enum State {
                case notStarted(Source)
                case reading(() async throws -> ByteBuffer?)
                case finished
            }

            /// The next chunk.
            ///
            /// - Returns: A chunk of 1 byte to 256 KiB; `nil` after the last one.
            /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed`` when the source fails or does not
            ///   keep to its length, ``StorageError/Code/alreadyRead`` when a sequence is read twice;
            ///   `CancellationError`.
            public mutating func next() async throws -> ByteBuffer? {
                do {
                    return try await advance()
                } catch {
                    state = .finished
                    rest = ByteBuffer()
                    throw UploadBody.sourceFailure(error)
                }
            }

            private mutating func advance() async throws -> ByteBuffer? {
                while true {
                    try Task.checkCancellation()
                    if rest.readableBytes > 0 {
                        return rest.readSlice(length: Swift.min(rest.readableBytes, largestChunk))
                    }
                    switch state {
                    case .finished:
                        return nil
                    case .notStarted(let source):
                        state = .reading(try await start(source))
                    case .reading(let read):
                        guard let chunk = try await read() else {
                            if let expected, delivered < expected { throw UploadBody.wrongLength(expected, delivered) }
                            state = .finished
                            return nil
                        }
                        delivered += Int64(chunk.readableBytes)
                        if let expected, delivered > expected { throw UploadBody.wrongLength(expected, delivered) }
                        rest = chunk
                    }
                }
            }

            private mutating func start(_ source: Source) async throws -> () async throws -> ByteBuffer? {
                switch source {
                case .buffer(let buffer):
                    var isDelivered = false
                    return {
                        defer { isDelivered = true }
                        return isDelivered ? nil : buffer
                    }
                case .file(let path):
                    let reader = try await FileReader.open(path)
                    expected = reader.length
                    var offset: Int64 = 0
                    return {
                        let chunk = try await reader.read(at: offset, atMost: largestChunk)
                        offset += Int64(chunk?.readableBytes ?? 0)
                        return chunk
                    }
                case .stream(let stream):
                    guard let read = stream.takeOnce() else {
                        throw StorageError(
                            .alreadyRead,
                            "The sequence of this upload body was read before. Make a new body for each upload."
                        )
                    }
                    return read
                }
            }
        }
    }

    static func sourceFailure(_ error: any Error) -> any Error {
        if error is CancellationError { return error }
        if let error = error as? StorageError, error.code == .sourceFailed || error.code == .alreadyRead {
            return error
        }
        return StorageError(
            .sourceFailed,
            "The source of the upload failed, so nothing was stored. The cause says what to mend.",
            underlying: error
        )
    }

    static func wrongLength(_ expected: Int64, _ delivered: Int64) -> StorageError {
        StorageError(
            .sourceFailed,
            delivered > expected
                ? "The source of the upload announced \(expected) bytes and delivered more. Announce the right length."
                : "The source of the upload announced \(expected) bytes and ended after \(delivered). "
                    + "Announce the right length, or upload again."
        )
    }
}

/// A source that can be read once, whatever copies of its body there are.
final class OneTimeSource: Sendable {
    private let isTaken = Atomic(false)
    private let make: @Sendable () -> () async throws -> ByteBuffer?

    init(_ make: @escaping @Sendable () -> () async throws -> ByteBuffer?) {
        self.make = make
    }

    func takeOnce() -> (() async throws -> ByteBuffer?)? {
        isTaken.exchange(true, ordering: .relaxed) ? nil : make()
    }
}
