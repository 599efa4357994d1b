import Platform

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
        case EACCES:
            (.permissionDenied, "Give the user of this process access to the path.")
        case EPERM:
            (
                .permissionDenied,
                "Give the user of this process access to the path, and look whether it was made immutable (lsattr)."
            )
        case EROFS:
            (
                .permissionDenied,
                "The file system is mounted read-only. If nobody did that, the kernel did, after an error of the "
                    + "device that its log tells."
            )
        case ELOOP, EXDEV:
            (.permissionDenied, "A symbolic link or mount point leads out of the storage, which is not followed.")
        case ENAMETOOLONG:
            (.invalidName, "The file system does not take a name this long; shorten it.")
        case EILSEQ:
            (.invalidName, "The file system does not take these characters in a name.")
        case ENOSPC:
            (.outOfSpace, "Free space on the device (df), or remove files where their number is used up (df -i).")
        case EDQUOT:
            (.outOfSpace, "The disk quota is used up; raise it or delete files.")
        case EMLINK:
            (.outOfSpace, "The file system takes no more directories in this one; spread them over several.")
        case EFBIG:
            (.tooLarge, "The file system does not take a file this large.")
        case EMFILE, ENFILE:
            (.unavailable, "Too many files are open; raise the limit (ulimit -n) or lower the concurrency.")
        case ENOMEM, EAGAIN, EBUSY, ETXTBSY, ENOLCK, ENOBUFS:
            (.unavailable, "The system is short of a resource now; try again.")
        case ETIMEDOUT:
            (.timeout, "The file system's server did not respond in time; try again.")
        case ENOTCONN, ESHUTDOWN, ECONNABORTED:
            (
                .unavailable,
                "What serves the file system has ended: the program behind FUSE, or the connection. Mount it again, "
                    + "then try again."
            )
        case EHOSTDOWN, EHOSTUNREACH, ENETDOWN, ENETUNREACH, ECONNREFUSED, ECONNRESET, EPIPE:
            (.unavailable, "The file system's server cannot be reached. Look at it and at the network, then try again.")
        case ESTALE:
            (
                .unavailable,
                "The file or directory is not on its server any more. Try again; if it stays so, the server exports it "
                    + "anew: mount it again."
            )
        case ENOTSUP, EOPNOTSUPP, ENOSYS:
            (.unsupported, "The file system or kernel does not offer this call.")
        case EINVAL:
            (.io, "The file system refused the arguments of the call.")
        case EIO:
            (
                .io,
                "Look at the state of the device in the kernel's log. On a file system across a network, its server "
                    + "may not have responded in time."
            )
        default:
            systemMeaning(ofErrno: code)
        }
    }

    /// Returns the meaning of an `errno` that not every system defines.
    private static func systemMeaning(ofErrno code: Int32) -> (Code, String) {
        #if os(Linux)
            switch code {
            case ENOKEY, EKEYEXPIRED, EKEYREVOKED, EKEYREJECTED:
                return (
                    .permissionDenied,
                    "The key to the file system is missing or has expired: renew the Kerberos ticket (kinit), or "
                        + "unlock the directory."
                )
            case EUCLEAN, EBADMSG:
                return (.io, "The file system is damaged: unmount and check it (fsck, xfs_repair).")
            case ENOMEDIUM:
                return (.unavailable, "There is no medium in the device.")
            case EREMOTEIO:
                return (.io, "The file system's server failed; look at its log.")
            default: break
            }
        #endif
        return (.io, "Look at the state of the device.")
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
