package import NIOCore

/// Reads an upload's body as every storage must: limit, tap, hash, progress and declared length in one pass.
///
/// ```swift
/// let driver = try BodyDriver(body, options: options, name: name, storage: label)
/// while let chunk = try await driver.next() {
///     try await send(chunk)
///     driver.reportProgress()
/// }
/// let sha256 = try driver.digest()
/// try await publish()
/// driver.reportEnd()
/// ```
///
/// Used by one task; not `Sendable`.
package final class BodyDriver {
    /// Bytes handed out so far.
    package private(set) var byteCount: Int64 = 0
    private var chunks: UploadBody.Chunks.AsyncIterator
    private let options: UploadOptions
    private let name: StorageName
    private let storage: String
    /// The size in bytes that the body declared; `nil` when it declared none.
    package let totalByteCount: Int64?
    /// A Boolean value that indicates whether all bytes are in memory, so that reading them waits for nothing.
    package let isInMemory: Bool
    private let hasher: SHA256Hasher?
    private var isFinished = false

    /// Begins an upload.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - options: Limit, tap and progress of the upload.
    ///   - name: The name, for errors.
    ///   - storage: The storage's label, for errors.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/tooLarge`` when the body announces more than the limit;
    ///   nothing has been read then.
    package init(_ body: UploadBody, options: UploadOptions, name: StorageName, storage: String) throws {
        self.options = options
        self.name = name
        self.storage = storage
        totalByteCount = body.length
        isInMemory = if case .buffer = body.source { true } else { false }
        hasher = options.computesSHA256 ? try SHA256Hasher() : nil
        chunks = body.chunks.makeAsyncIterator()
        if let length = body.length { try checkLimit(length) }
    }

    /// The next chunk, checked, tapped and hashed; `nil` after the last one.
    package func next() async throws -> ByteBuffer? {
        guard !isFinished else { return nil }
        guard let chunk = try await chunks.next() else {
            isFinished = true
            return nil
        }
        byteCount += Int64(chunk.readableBytes)
        try checkLimit(byteCount)
        try options.tap?(chunk)
        hasher?.update(chunk)
        return chunk
    }

    /// Reports that all bytes handed out so far are stored.
    package func reportProgress() {
        guard byteCount > 0 else { return }
        options.progress?(TransferProgress(completedBytes: byteCount, totalBytes: totalByteCount))
    }

    /// Reports that the upload is complete and its file is visible.
    package func reportEnd() {
        options.progress?(TransferProgress(completedBytes: byteCount, totalBytes: byteCount))
    }

    /// The SHA-256 of all bytes, when it is wanted; to be asked for once and before the file can be seen: nothing may
    /// fail after that.
    package func digest() throws -> [UInt8]? {
        try hasher?.finish()
    }

    private func checkLimit(_ count: Int64) throws {
        guard let limit = options.maxBytes, count > limit else { return }
        throw StorageError(
            .tooLarge,
            "The upload has more than the \(limit) bytes allowed, so nothing was stored. Send less, or raise maxBytes.",
            name: name,
            storage: storage
        )
    }
}
