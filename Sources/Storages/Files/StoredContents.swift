public import NIOCore

/// The contents of one version of a file, or of a part of it: a sequence of chunks, to be read once.
///
/// Chunks are fetched when they are asked for, so a slow reader slows the storage, and nothing is read ahead beyond
/// one chunk. The sequence ends after exactly as many bytes as ``range`` has; when the storage delivers fewer or more,
/// it throws ``StorageError/Code/changedDuringRead``. A second iteration throws ``StorageError/Code/alreadyRead``.
///
/// What a storage holds open for it, a descriptor or a connection, is let go when the iterator has come to the end or
/// thrown, or is gone; before there is an iterator, when the contents are gone.
public struct StoredContents: AsyncSequence, Sendable {
    /// A chunk of bytes, never empty.
    public typealias Element = ByteBuffer
    /// Reading can fail with ``StorageError`` or `CancellationError`.
    public typealias Failure = any Error

    /// The properties of the file; ``FileInfo/byteCount`` is the size of the whole file, not of the range.
    public internal(set) var info: FileInfo
    /// The offsets this sequence delivers.
    public let range: Range<Int64>

    private let source: OneTimeSource
    private let progress: ProgressHandler?
    private var isRenamed = false

    /// Makes contents from a sequence of chunks; for authors of storages.
    ///
    /// - Parameters:
    ///   - info: What is known about the file.
    ///   - range: The offsets that `chunks` delivers.
    ///   - progress: Told after each chunk. Default: none.
    ///   - chunks: The bytes of `range`, in order, in chunks of any size.
    public init<Chunks: AsyncSequence & Sendable>(
        info: FileInfo,
        range: Range<Int64>,
        progress: ProgressHandler? = nil,
        chunks: Chunks
    ) where Chunks.Element == ByteBuffer {
        self.info = info
        self.range = range
        self.progress = progress
        self.source = OneTimeSource {
            var iterator = chunks.makeAsyncIterator()
            return { try await iterator.next(isolation: #isolation) }
        }
    }

    /// Makes contents from bytes in memory; for authors of storages.
    ///
    /// - Parameters:
    ///   - info: What is known about the file.
    ///   - range: The offsets that `buffer` holds.
    ///   - progress: Told after each chunk. Default: none.
    ///   - buffer: The bytes of `range`; handed out in chunks of at most 256 KiB without copying.
    public init(info: FileInfo, range: Range<Int64>, progress: ProgressHandler? = nil, buffer: ByteBuffer) {
        self.init(info: info, range: range, progress: progress, chunks: BufferSlices(buffer))
    }

    /// Reads everything into one buffer.
    ///
    /// - Parameter limit: The most bytes to hold; never more than 4 GiB less one byte.
    /// - Returns: The bytes of ``range``.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/tooLarge`` before reading when ``range`` is longer than
    ///   the limit; what reading throws.
    /// - Complexity: O(n) time and memory in the length of the range.
    public func collect(upTo limit: Int) async throws -> ByteBuffer {
        let count = range.upperBound - range.lowerBound
        // A buffer counts its bytes in 32 bits.
        guard count <= limit, count <= Int64(UInt32.max) else {
            throw StorageError(
                .tooLarge,
                "The contents have \(count) bytes, more than the \(Swift.min(Int64(limit), Int64(UInt32.max))) to "
                    + "collect. Raise the limit, or iterate over the chunks.",
                name: info.name
            )
        }
        var iterator = makeAsyncIterator()
        guard var result = try await iterator.next() else { return ByteBuffer() }
        result.reserveCapacity(Int(count))
        while var chunk = try await iterator.next() {
            result.writeBuffer(&chunk)
        }
        return result
    }

    /// The same contents under the name they have in a storage that decorates another.
    package func renamed(to name: StorageName) -> StoredContents {
        var copy = self
        copy.info.name = name
        copy.isRenamed = true
        return copy
    }

    /// Starts reading; only the first iterator gets the bytes.
    ///
    /// - Returns: An iterator over the chunks.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(
            name: info.name,
            expected: range.upperBound - range.lowerBound,
            progress: progress,
            isRenamed: isRenamed,
            advance: source.takeOnce()
        )
    }

    /// Delivers the chunks of a ``StoredContents``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let name: StorageName
        let expected: Int64
        let progress: ProgressHandler?
        /// A Boolean value that indicates whether the source knows the file by another name, which its errors must not
        /// give away.
        let isRenamed: Bool
        var advance: (() async throws -> ByteBuffer?)?
        var delivered: Int64 = 0
        var isFinished = false

        /// The next chunk.
        ///
        /// - Returns: A chunk, never empty; `nil` after the last one.
        /// - Throws: ``StorageError``, or `CancellationError`.
        public mutating func next() async throws -> ByteBuffer? {
            guard !isFinished else { return nil }
            guard let advance else {
                throw StorageError(
                    .alreadyRead,
                    "The contents were read before; they can be read once. Open the file again.",
                    name: name
                )
            }
            do {
                while let chunk = try await advance() {
                    try Task.checkCancellation()
                    guard chunk.readableBytes > 0 else { continue }
                    delivered += Int64(chunk.readableBytes)
                    guard delivered <= expected else { throw mismatch() }
                    progress?(TransferProgress(completedBytes: delivered, totalBytes: expected))
                    return chunk
                }
                guard delivered == expected else { throw mismatch() }
            } catch {
                finish()
                guard isRenamed, var error = error as? StorageError else { throw error }
                error.name = name.string
                throw error
            }
            finish()
            return nil
        }

        // Letting go of the source closes what it holds, although the iterator may live on.
        private mutating func finish() {
            isFinished = true
            advance = nil
        }

        private func mismatch() -> StorageError {
            StorageError(
                .changedDuringRead,
                "\(expected) bytes were announced, \(delivered) arrived. The file was changed meanwhile, or the "
                    + "transfer was cut; open it again.",
                name: name
            )
        }
    }
}
