#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension StorageError {
    /// Turns the `errno` of a failed system call into an error that says what to do.
    ///
    /// - Parameters:
    ///   - errno: The value of `errno` right after the call.
    ///   - operation: What was being done, as a verb phrase: "open the file", "create a directory".
    ///   - path: The path of the file system the call was about. Default: none.
    ///   - name: The name the operation was about. Default: none.
    ///   - storage: The label of the storage. Default: none.
    package init(
        errno code: Int32,
        _ operation: String,
        path: String? = nil,
        name: String? = nil,
        storage: String? = nil
    ) {
        let place = path.map { " at \(StorageError.quoted($0))" } ?? ""
        let (kind, remedy) = StorageError.meaning(ofErrno: code)
        self.init(
            kind,
            "Cannot \(operation)\(place): \(SystemCallFailure(errno: code).description). \(remedy)",
            name: name,
            storage: storage,
            underlying: SystemCallFailure(errno: code)
        )
    }

    private static func meaning(ofErrno code: Int32) -> (Code, String) {
        switch code {
        case ENOENT:
            (.notFound, "Check the name, and that the directory exists.")
        case ENOTDIR:
            (.notFound, "A part of the path is a file, so nothing can lie below it.")
        case EISDIR:
            (.notFound, "A directory has this name; a storage has files only.")
        case EEXIST:
            (.alreadyExists, "Choose another name, or allow replacing.")
        case EACCES, EPERM:
            (.permissionDenied, "Give the user of this process access to the path.")
        case EROFS:
            (.permissionDenied, "The file system is mounted read-only.")
        case ELOOP, EXDEV:
            (.permissionDenied, "A symbolic link or mount point leads out of the storage, which is not followed.")
        case ENAMETOOLONG:
            (.invalidName, "The file system does not take a name this long; shorten it.")
        case EILSEQ:
            (.invalidName, "The file system does not take these characters in a name.")
        case ENOSPC:
            (.outOfSpace, "Free space on the device.")
        case EDQUOT:
            (.outOfSpace, "The disk quota is used up; raise it or delete files.")
        case EFBIG:
            (.tooLarge, "The file system does not take a file this large.")
        case EMFILE, ENFILE:
            (.unavailable, "Too many files are open; raise the limit (ulimit -n) or lower the concurrency.")
        case ENOMEM, EAGAIN, EBUSY, ETXTBSY:
            (.unavailable, "The system is short of a resource now; try again.")
        case ETIMEDOUT:
            (.timeout, "The file system's server did not answer in time; try again.")
        case ESTALE:
            (.changedDuringRead, "The file was replaced on its server; open it again.")
        case ENOTSUP, ENOSYS:
            (.unsupported, "The file system or kernel does not offer this call.")
        case EINVAL:
            (.io, "The file system refused the arguments of the call.")
        default:
            (.io, "Look at the state of the device.")
        }
    }
}

/// The failure of a system call, as `errno` reported it.
public struct SystemCallFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The value of `errno`.
    public let errno: Int32

    /// Wraps a value of `errno`.
    ///
    /// - Parameter errno: The value right after the call.
    public init(errno: Int32) {
        self.errno = errno
    }

    /// The system's text and the number, such as `No such file or directory (errno 2)`.
    public var description: String {
        "\(SystemCallFailure.text(of: errno)) (errno \(errno))"
    }

    // strerror keeps one shared buffer and is not safe with threads; this is the XSI variant of strerror_r, which fills
    // the buffer it is given.
    private static func text(of errno: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        return buffer.withUnsafeMutableBufferPointer { pointer in
            guard let base = pointer.baseAddress, strerror_r(errno, base, pointer.count) == 0 else {
                return "unknown error"
            }
            return String(cString: base)
        }
    }
}
