internal import CLinuxFiles
import Platform

// Entries of directories.
extension SystemCall {
    /// Returns the status of an entry of a directory; a symbolic link is reported, not followed.
    static func status(of name: UnsafePointer<CChar>, in directory: Descriptor) throws -> FileStatus {
        var raw = stat()
        guard directory.use({ fstatat($0, name, &raw, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            throw SystemCallError.last("fstatat")
        }
        return FileStatus(raw)
    }

    /// Makes a directory; returns whether it is new.
    static func makeDirectory(_ name: UnsafePointer<CChar>, in directory: Descriptor, mode: UInt32) throws -> Bool {
        let result = directory.use { directory in
            repeatingOnInterrupt { mkdirat(directory, name, mode_t(truncatingIfNeeded: mode)) }
        }
        if result == 0 { return true }
        guard errno == EEXIST else { throw SystemCallError.last("mkdirat") }
        return false
    }

    /// Gives a file a second name; throws `EEXIST` when that is taken.
    static func link(
        _ name: UnsafePointer<CChar>,
        in directory: Descriptor,
        to newName: UnsafePointer<CChar>,
        in newDirectory: Descriptor
    ) throws {
        let result = directory.use { old in
            newDirectory.use { new in repeatingOnInterrupt { linkat(old, name, new, newName, 0) } }
        }
        guard result == 0 else { throw SystemCallError.last("linkat") }
    }

    #if os(Linux)
        /// `O_TMPFILE` of asm-generic/fcntl.h, which the C library's module does not export.
        static let anonymousFileFlag: Int32 = 0o20_000_000 | O_DIRECTORY

        /// Gives a file without a name one, as open(2) says under `O_TMPFILE`; throws `EEXIST` when it is taken.
        static func link(
            _ file: Descriptor,
            to newName: UnsafePointer<CChar>,
            in newDirectory: Descriptor
        ) throws {
            let result = file.use { file in
                newDirectory.use { directory in
                    repeatingOnInterrupt {
                        linkat(AT_FDCWD, "/proc/self/fd/\(file)", directory, newName, AT_SYMLINK_FOLLOW)
                    }
                }
            }
            guard result == 0 else { throw SystemCallError.last("linkat") }
        }

        /// Returns whether a file can be reached as `linkat` needs it: `/proc` may not be mounted.
        static func isReachable(_ file: Descriptor) -> Bool {
            file.use { access("/proc/self/fd/\($0)", F_OK) == 0 }
        }
    #endif

    /// Gives a file another name, in place of a file that has it.
    static func rename(
        _ name: UnsafePointer<CChar>,
        in directory: Descriptor,
        to newName: UnsafePointer<CChar>,
        in newDirectory: Descriptor
    ) throws {
        let result = directory.use { old in
            newDirectory.use { new in repeatingOnInterrupt { renameat(old, name, new, newName) } }
        }
        guard result == 0 else { throw SystemCallError.last("renameat") }
    }

    /// Gives a file another name; throws `EEXIST` when that is taken, `EINVAL` where a file system cannot tell.
    static func renameExclusively(
        _ name: UnsafePointer<CChar>,
        in directory: Descriptor,
        to newName: UnsafePointer<CChar>,
        in newDirectory: Descriptor
    ) throws {
        while true {
            #if canImport(Darwin)
                let result = directory.use { old in
                    newDirectory.use { new in renameatx_np(old, name, new, newName, UInt32(RENAME_EXCL)) }
                }
                let number = result == 0 ? 0 : errno
            #else
                let number = directory.use { old in
                    newDirectory.use { new in -clinux_rename_exclusively(old, name, new, newName) }
                }
            #endif
            if number == 0 { return }
            guard number == EINTR else { throw SystemCallError(call: "renameat2", number: number) }
        }
    }

    /// Removes a name; of a directory, which must be empty, with `AT_REMOVEDIR`.
    static func unlink(_ name: UnsafePointer<CChar>, in directory: Descriptor, flags: Int32 = 0) throws {
        let result = directory.use { directory in repeatingOnInterrupt { unlinkat(directory, name, flags) } }
        guard result == 0 else { throw SystemCallError.last("unlinkat") }
    }
}
