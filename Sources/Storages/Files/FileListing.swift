/// The files of a storage, fetched as they are iterated, in constant memory.
///
/// Each iteration lists anew. It is not a snapshot. Objects that this library keeps for itself, whose names have a
/// segment that begins with `.stored-files-`, are left out; so are keys that no file can have as its name
/// (``reportingForeignKeys(to:during:isolation:)``).
public struct FileListing: AsyncSequence, Sendable {
    /// A file that exists.
    public typealias Element = FileInfo
    /// Listing can fail with ``StorageError`` or `CancellationError`.
    public typealias Failure = any Error

    /// A Boolean value that indicates whether listings that are begun now include the library's own objects, for
    /// callers that look for what the library has stored there.
    ///
    /// A value of the task, because it has to reach the storage at the bottom through decorators that know nothing of
    /// it.
    @TaskLocal package static var includesReserved = false

    /// The closure that is told of the keys which listings that are begun now skip.
    ///
    /// A value of the task for the same reason.
    @TaskLocal package static var onForeignKey: (@Sendable (ForeignKey) -> Void)?

    private let make: @Sendable () -> () async throws -> FileInfo?

    /// Makes a listing from a sequence; for authors of storages.
    ///
    /// - Parameter files: The files; each iteration must list anew and fetch only as it is iterated.
    public init<Files: AsyncSequence & Sendable>(_ files: Files) where Files.Element == FileInfo {
        make = {
            var iterator = files.makeAsyncIterator()
            return { try await iterator.next(isolation: #isolation) }
        }
    }

    /// Starts listing.
    ///
    /// - Returns: An iterator over the files.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(advance: make(), includesReserved: Self.includesReserved)
    }

    /// Delivers the files of a ``FileListing``.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let advance: () async throws -> FileInfo?
        let includesReserved: Bool

        /// The next file.
        ///
        /// - Returns: A file; `nil` after the last one.
        /// - Throws: ``StorageError``, or `CancellationError`.
        public mutating func next() async throws -> FileInfo? {
            while true {
                try Task.checkCancellation()
                guard let file = try await advance() else { return nil }
                if includesReserved || !file.name.isReserved { return file }
            }
        }
    }
}
