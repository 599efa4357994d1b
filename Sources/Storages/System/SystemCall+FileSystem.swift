internal import CLinuxFiles
import Platform

/// The description that the system gives of a file system, in plain integers.
struct FileSystemDescription: Sendable {
    var kind: FileSystemKind
    /// The number of bytes that may still be written; `nil` when the file system does not report it, as the others.
    var freeBytes: UInt64?
    /// The number of files that may still be made; `nil` also where files are not counted.
    var freeFiles: UInt64?
    var longestName: Int?
}

/// The permissions and the owner of a file or directory.
struct FilePermissions: Equatable, Sendable {
    /// The permission bits, set-user-ID, set-group-ID and sticky among them.
    var mode: UInt32
    var owner: UInt32
}

// File systems, and who may what.
extension SystemCall {
    /// Describes the file system that something open lies on.
    static func fileSystem(of descriptor: Descriptor) throws -> FileSystemDescription {
        #if canImport(Darwin)
            var found = statfs()
            guard descriptor.use({ fstatfs($0, &found) }) == 0 else {
                return try undescribed(SystemCallError.last("fstatfs"))
            }
            let name = withUnsafeBytes(of: &found.f_fstypename) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let longest = descriptor.use { fpathconf($0, _PC_NAME_MAX) }
            return FileSystemDescription(
                kind: FileSystemKind(name: name, isLocal: found.f_flags & UInt32(MNT_LOCAL) != 0),
                freeBytes: UInt64(found.f_bavail) * UInt64(found.f_bsize),
                freeFiles: found.f_files == 0 ? nil : UInt64(found.f_ffree),
                longestName: longest > 0 ? longest : nil
            )
        #else
            var found = clinux_file_system()
            let number = descriptor.use { clinux_describe($0, &found) }
            guard number == 0 else { return try undescribed(SystemCallError(call: "fstatfs", number: -number)) }
            return FileSystemDescription(
                kind: FileSystemKind(type: found.type),
                freeBytes: found.free_blocks.multipliedReportingOverflow(by: found.block_size).partialValue,
                freeFiles: found.files == 0 ? nil : found.free_files,
                longestName: found.name_length == 0 ? nil : Int(clamping: found.name_length)
            )
        #endif
    }

    /// Returns what is known when the call is refused, as by a program behind FUSE that does not offer it, or by a
    /// sandbox.
    private static func undescribed(_ error: SystemCallError) throws -> FileSystemDescription {
        guard error.isRefused || error.number == EACCES else { throw error }
        return FileSystemDescription(kind: FileSystemKind(name: "unknown", isLocal: false))
    }

    /// Returns the permissions of an open file or directory.
    static func permissions(of descriptor: Descriptor) throws -> FilePermissions {
        var raw = stat()
        guard descriptor.use({ fstat($0, &raw) }) == 0 else { throw SystemCallError.last("fstat") }
        return FilePermissions(mode: UInt32(raw.st_mode) & 0o7777, owner: UInt32(raw.st_uid))
    }

    /// Returns the permissions of an entry of a directory.
    static func permissions(of name: UnsafePointer<CChar>, in directory: Descriptor) throws -> FilePermissions {
        var raw = stat()
        guard directory.use({ fstatat($0, name, &raw, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            throw SystemCallError.last("fstatat")
        }
        return FilePermissions(mode: UInt32(raw.st_mode) & 0o7777, owner: UInt32(raw.st_uid))
    }

    /// Sets permission bits, whatever the process's umask is.
    static func setPermissions(_ mode: UInt32, of descriptor: Descriptor) throws {
        guard descriptor.use({ fchmod($0, mode_t(truncatingIfNeeded: mode)) }) == 0 else {
            throw SystemCallError.last("fchmod")
        }
    }

    /// Sets the modification time to a second; returns whether the file has it afterwards.
    static func setModificationTime(_ seconds: Int, of descriptor: Descriptor) throws -> Bool {
        var time = timespec()
        time.tv_sec = time_t(seconds)
        let result = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times.initialize(repeating: time)
            return descriptor.use { futimens($0, times.baseAddress) }
        }
        return try result == 0 && status(of: descriptor).seconds == Int64(seconds)
    }
}
