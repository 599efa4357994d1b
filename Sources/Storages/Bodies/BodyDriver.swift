package import NIOCore

/// Reads an upload's body as every storage must: limit, tap, hash, progress and declared length in one pass.
///
/// ```swift
/// let driver = try BodyDriver(body, options: options, name: name, storage: label)
/// while let chunk = try await driver.next() { try await send(chunk) }
/// let (byteCount, sha256) = try driver.finish()
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
    private let totalBytes: Int64?
    private let hasher: SHA256Hasher
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
        totalBytes = body.length
        hasher = try SHA256Hasher()
        chunks = body.chunks.makeAsyncIterator()
        if let length = body.length { try checkLimit(length) }
    }

    /// The next chunk, checked, tapped and hashed; `nil` after the last one.
    ///
    /// Asking for it says that the one before has been sent, which is then reported as progress.
    package func next() async throws -> ByteBuffer? {
        guard !isFinished else { return nil }
        if byteCount > 0 { options.progress?(TransferProgress(completedBytes: byteCount, totalBytes: totalBytes)) }
        guard let chunk = try await chunks.next() else {
            isFinished = true
            return nil
        }
        byteCount += Int64(chunk.readableBytes)
        try checkLimit(byteCount)
        try options.tap?(chunk)
        hasher.update(chunk)
        return chunk
    }

    /// Ends the upload, when everything is stored.
    ///
    /// - Returns: The number of bytes and their SHA-256.
    package func finish() throws -> (byteCount: Int64, sha256: [UInt8]) {
        let digest = try hasher.finish()
        options.progress?(TransferProgress(completedBytes: byteCount, totalBytes: byteCount))
        return (byteCount, digest)
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
