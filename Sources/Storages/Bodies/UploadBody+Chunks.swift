public import NIOCore

extension UploadBody {
    /// The bytes of a body, in chunks of 1 byte to 256 KiB, each read when it is asked for.
    ///
    /// What the source delivers in pieces of less than 32 KiB is copied together into chunks of 224 KiB or more; larger
    /// pieces are passed on without copying.
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
            /// The remainder of a large chunk of the source.
            var rest = ByteBuffer()
            /// Small chunks of the source, copied together.
            var gathered = ByteBuffer()
            var isGatheredOwn = false

            enum State {
                case notStarted(Source)
                case reading(() async throws -> ByteBuffer?)
                case finished
            }

            /// The next chunk.
            ///
            /// - Returns: A chunk of 1 byte to 256 KiB; `nil` after the last one.
            /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed`` when the source fails or does
            ///   not keep to its length, ``StorageError/Code/alreadyRead`` when a sequence is read twice;
            ///   `CancellationError`.
            public mutating func next() async throws -> ByteBuffer? {
                do {
                    return try await advance()
                } catch {
                    state = .finished
                    rest = ByteBuffer()
                    gathered = ByteBuffer()
                    throw UploadBody.sourceFailure(error)
                }
            }

            private mutating func advance() async throws -> ByteBuffer? {
                while true {
                    try Task.checkCancellation()
                    if rest.readableBytes > 0 {
                        if let gathered = takeGathered() { return gathered }
                        return rest.readSlice(length: Swift.min(rest.readableBytes, largestChunk))
                    }
                    switch state {
                    case .finished:
                        return takeGathered()
                    case .notStarted(let source):
                        state = .reading(try await start(source))
                    case .reading(let read):
                        guard let chunk = try await read() else {
                            if let expected, delivered < expected {
                                throw UploadBody.wrongLength(announced: expected, delivered: delivered)
                            }
                            state = .finished
                            continue
                        }
                        delivered += Int64(chunk.readableBytes)
                        if let expected, delivered > expected {
                            throw UploadBody.wrongLength(announced: expected, delivered: delivered)
                        }
                        guard chunk.readableBytes < smallChunk else {
                            rest = chunk
                            continue
                        }
                        gather(chunk)
                        if gathered.readableBytes > largestChunk - smallChunk { return takeGathered() }
                    }
                }
            }

            /// Copies a small chunk behind those that came before it; the only one of a body is not copied.
            private mutating func gather(_ chunk: ByteBuffer) {
                guard chunk.readableBytes > 0 else { return }
                if gathered.readableBytes == 0 {
                    gathered = chunk
                    isGatheredOwn = false
                    return
                }
                if !isGatheredOwn {
                    // The buffer of the source may be a small part of a large one, which would be kept with it.
                    var own = ByteBufferAllocator().buffer(capacity: 2 * (gathered.readableBytes + chunk.readableBytes))
                    own.writeBuffer(&gathered)
                    gathered = own
                    isGatheredOwn = true
                }
                gathered.writeImmutableBuffer(chunk)
            }

            private mutating func takeGathered() -> ByteBuffer? {
                guard gathered.readableBytes > 0 else { return nil }
                defer { gathered = ByteBuffer() }
                return gathered
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
                    let (reader, beginning) = try await FileReader.open(path, readingFirst: largestChunk)
                    expected = reader.length
                    return UploadBody.reading(reader, from: beginning)
                case .openedFile(let reader, let beginning):
                    expected = reader.length
                    return UploadBody.reading(reader, from: beginning)
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

    private static func reading(
        _ reader: FileReader,
        from beginning: ByteBuffer
    ) -> () async throws -> ByteBuffer? {
        var pending: ByteBuffer? = beginning
        var offset = Int64(beginning.readableBytes)
        return {
            if let chunk = pending {
                pending = nil
                return chunk
            }
            guard offset < reader.length else { return nil }
            let chunk = try await reader.read(at: offset, atMost: largestChunk)
            offset += Int64(chunk.readableBytes)
            return chunk
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

    static func wrongLength(announced expected: Int64, delivered: Int64) -> StorageError {
        StorageError(
            .sourceFailed,
            delivered > expected
                ? "The source of the upload announced \(expected) bytes and delivered more. Announce the right length."
                : "The source of the upload announced \(expected) bytes and ended after \(delivered). "
                    + "Announce the right length, or upload again."
        )
    }
}

/// The size below which chunks are copied together, 32 KiB: a buffer costs memory and a system call beside its bytes,
/// and copying so few takes less time than that call.
private let smallChunk = 32 * 1024
