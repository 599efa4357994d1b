package import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// An open file that is read at offsets on the blocking pool; closed when the last reference goes.
package final class FileReader: Sendable {
    package let path: String
    /// The size when the file was opened.
    package let length: Int64
    private let descriptor: Int32

    private init(path: String, length: Int64, descriptor: Int32) {
        self.path = path
        self.length = length
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Opens a regular file.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/sourceFailed`` that holds the system's reason.
    package static func open(_ path: String) async throws -> FileReader {
        try await BlockingPool.run {
            guard !path.utf8.contains(0) else { throw failure(path, "the path contains NUL", nil) }
            // O_NONBLOCK: opening a FIFO must not wait for a writer that never comes. It changes nothing for files.
            let descriptor = repeatingOnInterrupt {
                #if canImport(Glibc)
                    Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                #elseif canImport(Musl)
                    Musl.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                #else
                    Darwin.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
                #endif
            }
            guard descriptor >= 0 else { throw failure(path, "it cannot be opened", errno) }
            var status = stat()
            guard fstat(descriptor, &status) == 0 else {
                let code = errno
                close(descriptor)
                throw failure(path, "its size cannot be read", code)
            }
            guard status.st_mode & S_IFMT == S_IFREG else {
                close(descriptor)
                throw failure(path, "it is not a regular file", nil)
            }
            return FileReader(path: path, length: Int64(status.st_size), descriptor: descriptor)
        }
    }

    /// Reads at most so many bytes at an offset; `nil` at the end of the file.
    package func read(at offset: Int64, atMost count: Int) async throws -> ByteBuffer? {
        try await BlockingPool.run { [self] in
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            var failureCode: Int32 = 0
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { memory in
                let result = repeatingOnInterrupt { pread(descriptor, memory.baseAddress, count, off_t(offset)) }
                if result < 0 { failureCode = errno }
                return max(0, result)
            }
            guard failureCode == 0 else { throw FileReader.failure(path, "it cannot be read", failureCode) }
            return buffer.readableBytes > 0 ? buffer : nil
        }
    }

    private static func failure(_ path: String, _ reason: String, _ code: Int32?) -> StorageError {
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
