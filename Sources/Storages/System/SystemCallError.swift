import Platform

/// A system call that failed, before it is known for which name it was made.
///
/// It never leaves the target: `FileSystemStorage` turns it into a ``StorageError`` that names the operation, the file
/// and the remedy.
struct SystemCallError: Error {
    let call: String
    let number: Int32

    /// The failure of the call that returned just now.
    static func last(_ call: String) -> SystemCallError {
        SystemCallError(call: call, number: errno)
    }

    /// A path segment exists but is a symbolic link or a file where a directory is needed.
    var isNotADirectory: Bool { number == ENOTDIR || number == ELOOP }
    var isMissing: Bool { number == ENOENT }
    var isAlreadyExists: Bool { number == EEXIST }
    var isADirectory: Bool { number == EISDIR }
    /// A socket cannot be opened, nor a device without a driver.
    var isNoFile: Bool { number == ENXIO || number == ENODEV }
    /// The file system, or the kernel, does not offer the call, and will not for another file either.
    ///
    /// `EPERM` may mean that, as `linkat` on FAT does, or that permission is missing: then whatever else is tried
    /// fails, too.
    var isRefused: Bool { [EPERM, EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL].contains(number) }
    /// The kernel, or the file system, has no files without a name; `EISDIR` is said by one that does not know the
    /// flag.
    var isWithoutNamelessFiles: Bool { [EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL, EISDIR].contains(number) }
    /// The file system does not write out what it was asked to; on some, CIFS and FUSE among them, directories.
    var isSynchronizationRefused: Bool { [EINVAL, EOPNOTSUPP, ENOTSUP, ENOSYS, EBADF].contains(number) }
    /// A Boolean value that indicates whether the file system below the descriptor is gone: the server or program
    /// behind it has ended.
    var isDeadMount: Bool { number == ENOTCONN || number == ESTALE }
    /// The call was given a new name.
    var isOfName: Bool { ["openat", "openat2", "mkdirat", "linkat", "renameat", "renameat2"].contains(call) }
    /// The upload is complete and has replaced the old file; only whether that survives a power cut is not known.
    var isAfterReplacing = false

    init(call: String, number: Int32) {
        self.call = call
        self.number = number
    }
}
