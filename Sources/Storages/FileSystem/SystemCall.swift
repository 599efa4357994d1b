internal import NIOCore
internal import Synchronization

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

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
    var isExisting: Bool { number == EEXIST }
    var isADirectory: Bool { number == EISDIR }
}

/// A file descriptor that is closed when the last reference to it goes, or before.
final class Descriptor: Sendable {
    private let value: Atomic<Int32>

    /// The descriptor; -1 once it is closed, so that every later call fails with `EBADF`.
    var number: Int32 { value.load(ordering: .relaxed) }

    init(_ number: Int32) {
        value = Atomic(number)
    }

    deinit {
        closeNow()
    }

    /// Closes it here and now: letting go of the last name of a large file takes time that only a pool thread has.
    func closeNow() {
        let number = value.exchange(-1, ordering: .relaxed)
        if number >= 0 { _ = close(number) }
    }
}

/// What `fstat` says about a file, in plain integers.
struct FileStatus: Equatable, Sendable {
    enum Kind: Sendable { case file, directory, symbolicLink, other }

    var kind: Kind
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64

    /// Opaque text that is different for different contents under one name: (inode, size, modification time).
    var entityTag: String {
        let time = UInt64(bitPattern: seconds &* 1_000_000_000 &+ nanoseconds)
        return String(inode, radix: 16) + "-" + String(size, radix: 16) + "-" + String(time, radix: 16)
    }

    init(_ raw: stat) {
        switch raw.st_mode & S_IFMT {
        case S_IFREG: kind = .file
        case S_IFDIR: kind = .directory
        case S_IFLNK: kind = .symbolicLink
        default: kind = .other
        }
        inode = UInt64(raw.st_ino)
        size = Int64(raw.st_size)
        #if canImport(Darwin)
            let modified = raw.st_mtimespec
        #else
            let modified = raw.st_mtim
        #endif
        seconds = Int64(modified.tv_sec)
        nanoseconds = Int64(modified.tv_nsec)
    }
}

/// The system calls of this folder: errors thrown, interrupted calls repeated, short writes completed.
enum SystemCall {
    /// Opens a directory without following a symbolic link in the last segment.
    static func openDirectory(_ path: UnsafePointer<CChar>, in directory: Int32) throws -> Descriptor {
        try open(path, in: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// `openat`, always with `O_CLOEXEC`.
    static func open(
        _ path: UnsafePointer<CChar>,
        in directory: Int32,
        flags: Int32,
        mode: UInt32 = 0
    ) throws -> Descriptor {
        while true {
            let number = openat(directory, path, flags | O_CLOEXEC, mode_t(truncatingIfNeeded: mode))
            if number >= 0 { return Descriptor(number) }
            if errno != EINTR { throw SystemCallError.last("openat") }
        }
    }

    static func status(of descriptor: Int32) throws -> FileStatus {
        var raw = stat()
        guard fstat(descriptor, &raw) == 0 else { throw SystemCallError.last("fstat") }
        return FileStatus(raw)
    }

    /// What a name in a directory is; a symbolic link is reported, not followed.
    static func status(of name: UnsafePointer<CChar>, in directory: Int32) throws -> FileStatus {
        var raw = stat()
        guard fstatat(directory, name, &raw, AT_SYMLINK_NOFOLLOW) == 0 else { throw SystemCallError.last("fstatat") }
        return FileStatus(raw)
    }

    static func write(_ buffer: ByteBuffer, to descriptor: Int32) throws {
        try buffer.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Darwin)
                    let count = Darwin.write(descriptor, part.baseAddress, part.count)
                #elseif canImport(Musl)
                    let count = Musl.write(descriptor, part.baseAddress, part.count)
                #else
                    let count = Glibc.write(descriptor, part.baseAddress, part.count)
                #endif
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if count == 0 || errno != EINTR {
                    throw count == 0 ? SystemCallError(call: "write", number: EIO) : .last("write")
                }
            }
        }
    }

    /// Reads until `count` bytes are there or the file ends.
    static func read(_ count: Int, at offset: Int64, from descriptor: Int32) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.writerIndex < count {
            let done = buffer.writerIndex
            var failure: Int32 = 0
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { bytes in
                let got = pread(descriptor, bytes.baseAddress, count - done, off_t(offset + Int64(done)))
                failure = got < 0 ? errno : 0
                return max(got, 0)
            }
            if failure == EINTR { continue }
            guard failure == 0 else { throw SystemCallError(call: "pread", number: failure) }
            if got == 0 { break }
        }
        return buffer
    }

    /// Asks the system to put a file's bytes, or a directory's entries, onto the medium.
    static func synchronize(_ descriptor: Int32) throws {
        #if canImport(Darwin)
            // fsync on Darwin stops at the drive's cache; this is the call that goes through it (fsync(2)).
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
        #endif
        while fsync(descriptor) != 0 {
            if errno != EINTR { throw SystemCallError.last("fsync") }
        }
    }

    /// Sets the modification time to the clock's nanosecond.
    ///
    /// A kernel stamps files with the time of the last timer tick (up to 10 ms old), and an inode number is reused as
    /// soon as its file is deleted: two versions made within one tick could have equal entity tags.
    static func stampNow(_ descriptor: Int32) throws {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { throw SystemCallError.last("clock_gettime") }
        let result = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times.initialize(repeating: now)
            return futimens(descriptor, times.baseAddress)
        }
        guard result == 0 else { throw SystemCallError.last("futimens") }
    }
}
