package import NIOCore
import Platform

/// An open file that is read at offsets on a thread pool; closed when the last reference goes.
package final class FileReader: Sendable {
    package let path: String
    /// The size when the file was opened.
    package var length: Int64 { status.size }
    private let status: FileStatus
    private let descriptor: Descriptor

    private init(path: String, status: FileStatus, descriptor: Descriptor) {
        self.path = path
        self.status = status
        self.descriptor = descriptor
    }

    /// Opens a regular file and reads its beginning in the same visit to the pool.
    ///
    /// - Parameters:
    ///   - path: A path to a regular file.
    ///   - count: How many bytes to read at once. Default: none.
    /// - Returns: The file, and its first bytes: as many as were asked for, or all.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed`` that holds the system's reason.
    package static func open(
        _ path: String,
        readingFirst count: Int = 0
    ) async throws -> (reader: FileReader, beginning: ByteBuffer) {
        try await BlockingPool.run(on: BlockingPool.sources) {
            guard !path.utf8.contains(0) else {
                throw failure(reading: path, because: "the path contains NUL", errno: nil)
            }
            let reader: FileReader
            do {
                // O_NONBLOCK: opening a FIFO must not wait for a writer that never comes. It changes nothing for files.
                let descriptor = try SystemCall.open(path, in: .workingDirectory, flags: O_RDONLY | O_NONBLOCK)
                let status = try SystemCall.status(of: descriptor)
                reader = FileReader(path: path, status: status, descriptor: descriptor)
            } catch let error as SystemCallError {
                throw failure(reading: path, because: "it cannot be opened", errno: error.number)
            }
            guard reader.status.kind == .file else {
                throw failure(reading: path, because: "it is not a regular file", errno: nil)
            }
            return (reader, try reader.readNow(at: 0, atMost: count))
        }
    }

    /// Reads at most so many bytes at an offset; empty at the end that the file had when it was opened.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed``, also when the file has been changed
    ///   since it was opened, which is looked at with its last byte.
    package func read(at offset: Int64, atMost count: Int) async throws -> ByteBuffer {
        // Beyond the size there is nothing to wait for: the last bytes were checked when they were read.
        guard offset < length else { return ByteBuffer() }
        return try await BlockingPool.run(on: BlockingPool.sources) { try self.readNow(at: offset, atMost: count) }
    }

    private func readNow(at offset: Int64, atMost limit: Int) throws -> ByteBuffer {
        let count = Int(min(Int64(limit), length - offset))
        guard count > 0 else { return ByteBuffer() }
        do {
            let buffer = try SystemCall.read(count, at: offset, from: descriptor)
            let isLast = offset + Int64(count) == length
            guard buffer.readableBytes == count, try !isLast || SystemCall.status(of: descriptor) == status else {
                throw FileReader.failure(reading: path, because: "it was changed while it was being read", errno: nil)
            }
            return buffer
        } catch let error as SystemCallError {
            throw FileReader.failure(reading: path, because: "it cannot be read", errno: error.number)
        }
    }

    private static func failure(reading path: String, because reason: String, errno code: Int32?) -> StorageError {
        let cause = code.map(SystemCallFailure.init(errno:))
        return StorageError(
            .sourceFailed,
            "Cannot upload the file at \(StorageError.quoted(path)): \(reason). Check the path and its permissions.",
            underlying: cause
        )
    }
}

/// Repeats a system call that a signal has interrupted.
package func repeatingOnInterrupt<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result != -1 || errno != EINTR { return result }
    }
}
