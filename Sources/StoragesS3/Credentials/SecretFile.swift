import Platform
import Storages

/// Reads small files with settings and tokens.
enum SecretFile {
    /// Reads a file of UTF-8 on the blocking pool.
    ///
    /// - Parameters:
    ///   - path: Any path; a leading `~` stands for the home directory.
    ///   - environment: The environment, which names the home directory.
    ///   - limit: The most bytes to take.
    ///   - purpose: The purpose of the file, for messages.
    ///   - ignoresForbidden: Whether a file that this process may not read counts as one that is not there. Default: it
    ///     is an error.
    /// - Returns: The text, `nil` when there is no such file.
    /// - Throws: ``StorageError`` with the code of the system's error, or `invalidConfiguration` for a file that is
    ///   larger or no UTF-8; `CancellationError`.
    static func read(
        _ path: String,
        in environment: EnvironmentVariables,
        upTo limit: Int,
        as purpose: String,
        ignoresForbidden: Bool = false
    ) async throws -> String? {
        try await BlockingPool.run {
            let path = environment.expandingTilde(path)
            guard !path.utf8.contains(0) else {
                throw StorageError(.invalidConfiguration, "The path of \(purpose) contains NUL.")
            }
            // Not only regular files: /dev/null is how one says that there is none. O_NONBLOCK: a FIFO must not wait.
            let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
            guard descriptor >= 0 else {
                let code = errno
                if code == ENOENT || code == ENOTDIR { return nil }
                if ignoresForbidden, code == EACCES || code == EPERM { return nil }
                throw StorageError(errno: code, "open \(purpose)", path: path)
            }
            defer { _ = close(descriptor) }
            var bytes = [UInt8](repeating: 0, count: limit + 1)
            defer { bytes.wipe() }
            var count = 0
            while count < bytes.count {
                let got = bytes.withUnsafeMutableBytes { buffer in
                    Self.read(descriptor, into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
                }
                if got < 0 {
                    if errno == EINTR { continue }
                    throw StorageError(errno: errno, "read \(purpose)", path: path)
                }
                if got == 0 { break }
                count += got
            }
            guard count <= limit else {
                throw StorageError(
                    .invalidConfiguration,
                    "The file \(StorageError.quoted(path)) is too large for \(purpose): more than \(limit) bytes."
                )
            }
            guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
                throw StorageError(
                    .invalidConfiguration,
                    "The file \(StorageError.quoted(path)) with \(purpose) is not UTF-8."
                )
            }
            return text
        }
    }

    // `read` alone would mean the function above.
    private static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}
