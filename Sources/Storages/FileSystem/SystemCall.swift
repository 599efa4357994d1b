internal import CLinuxFiles
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
    /// A socket cannot be opened, nor a device without a driver.
    var isNoFile: Bool { number == ENXIO || number == ENODEV }
    /// The upload is complete and has replaced the old file; only whether that survives a power cut is not known.
    var isAfterReplacing = false

    init(call: String, number: Int32) {
        self.call = call
        self.number = number
    }
}

/// A file descriptor that is closed when the last reference to it goes, or before.
final class Descriptor: Sendable {
    /// What relative paths start from.
    static let workingDirectory = Descriptor(AT_FDCWD)

    private let value: Atomic<Int32>

    init(_ number: Int32) {
        value = Atomic(number)
    }

    deinit {
        closeNow()
    }

    /// Calls `body` with the descriptor, which stays open meanwhile; -1 once it is closed, so that calls fail.
    func use<Result>(_ body: (Int32) throws -> Result) rethrows -> Result {
        // Without this the object could go, and the number be another file's, between its reading and the call.
        try withExtendedLifetime(self) { try body(value.load(ordering: .relaxed)) }
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

    /// Opaque text that is different for different contents under one name: (inode, size, modification time) in
    /// hexadecimal.
    var entityTag: String {
        let numbers = (
            inode, UInt64(bitPattern: size), UInt64(bitPattern: seconds &* 1_000_000_000 &+ nanoseconds)
        )
        // Each opening of a file makes one, so it is written in place.
        return String(unsafeUninitializedCapacity: 50) { output in
            var count = 0
            func write(_ number: UInt64) {
                var shift = number == 0 ? 0 : (63 - number.leadingZeroBitCount) / 4 * 4
                while shift >= 0 {
                    let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 15)
                    output[count] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
                    count += 1
                    shift -= 4
                }
            }
            func writeSeparator() {
                output[count] = UInt8(ascii: "-")
                count += 1
            }
            write(numbers.0)
            writeSeparator()
            write(numbers.1)
            writeSeparator()
            write(numbers.2)
            return count
        }
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
    /// The path without symbolic links, `.` and `..`; `nil` when the system cannot tell.
    static func canonicalPath(_ path: String) -> String? {
        // The function allocates the path, and whoever calls it frees it.
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    // MARK: Files

    /// Opens a directory without following a symbolic link in the last segment.
    static func openDirectory(_ path: UnsafePointer<CChar>, in directory: Descriptor) throws -> Descriptor {
        try open(path, in: directory, flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    }

    /// `openat`, always with `O_CLOEXEC`.
    static func open(
        _ path: UnsafePointer<CChar>,
        in directory: Descriptor,
        flags: Int32,
        mode: UInt32 = 0
    ) throws -> Descriptor {
        try directory.use { directory in
            let number = repeatingOnInterrupt {
                openat(directory, path, flags | O_CLOEXEC, mode_t(truncatingIfNeeded: mode))
            }
            guard number >= 0 else { throw SystemCallError.last("openat") }
            return Descriptor(number)
        }
    }

    /// Whether the kernel, and what filters its calls, offer `openat2`.
    static func canOpenBeneath(_ directory: Descriptor) -> Bool {
        (try? openBeneath(".", in: directory, flags: O_RDONLY | O_DIRECTORY)) != nil
    }

    /// `openat2` below a directory without following any symbolic link, always with `O_CLOEXEC`.
    static func openBeneath(
        _ path: UnsafePointer<CChar>,
        in directory: Descriptor,
        flags: Int32
    ) throws -> Descriptor {
        while true {
            let number = directory.use { clinux_open_beneath($0, path, flags | O_CLOEXEC, 0, 0) }
            if number >= 0 { return Descriptor(number) }
            guard number == -EINTR else { throw SystemCallError(call: "openat2", number: -number) }
        }
    }

    /// The same when it needs no disk; `nil` when it would, or when the kernel cannot say.
    static func openBeneathIfCached(
        _ path: UnsafePointer<CChar>,
        in directory: Descriptor,
        flags: Int32
    ) throws -> Descriptor? {
        let number = directory.use { clinux_open_beneath($0, path, flags | O_CLOEXEC, 0, 1) }
        if number >= 0 { return Descriptor(number) }
        // EINVAL: a kernel before 5.12.
        guard ![-EAGAIN, -EINTR, -EINVAL].contains(number) else { return nil }
        throw SystemCallError(call: "openat2", number: -number)
    }

    static func status(of descriptor: Descriptor) throws -> FileStatus {
        var raw = stat()
        guard descriptor.use({ fstat($0, &raw) }) == 0 else { throw SystemCallError.last("fstat") }
        return FileStatus(raw)
    }

    static func write(_ buffer: ByteBuffer, to descriptor: Descriptor) throws {
        try descriptor.use { number in
            try buffer.withUnsafeReadableBytes { bytes in
                var rest = bytes[...]
                while !rest.isEmpty {
                    let part = UnsafeRawBufferPointer(rebasing: rest)
                    let count = repeatingOnInterrupt { writeBytes(number, part.baseAddress, part.count) }
                    guard count != 0 else { throw SystemCallError(call: "write", number: EIO) }
                    guard count > 0 else { throw SystemCallError.last("write") }
                    rest = rest.dropFirst(count)
                }
            }
        }
    }

    // `write` alone would mean the function above.
    private static func writeBytes(_ number: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Darwin)
            Darwin.write(number, bytes, count)
        #elseif canImport(Musl)
            Musl.write(number, bytes, count)
        #else
            Glibc.write(number, bytes, count)
        #endif
    }

    /// Reads until `count` bytes are there or the file ends.
    static func read(_ count: Int, at offset: Int64, from descriptor: Descriptor) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.writerIndex < count {
            let done = buffer.writerIndex
            var failure: Int32 = 0
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count - done) { bytes in
                let got = descriptor.use { number in
                    repeatingOnInterrupt {
                        pread(number, bytes.baseAddress, count - done, off_t(offset + Int64(done)))
                    }
                }
                if got < 0 { failure = errno }
                return max(got, 0)
            }
            guard failure == 0 else { throw SystemCallError(call: "pread", number: failure) }
            if got == 0 { break }
        }
        return buffer
    }

    /// The bytes are not all in the page cache, or it cannot be said whether they are.
    struct NotCached: Error {}

    /// Reads `count` bytes without waiting for a disk, or throws ``NotCached``.
    static func readCached(_ count: Int, at offset: Int64, from descriptor: Descriptor) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
            max(0, descriptor.use { clinux_read_cached($0, bytes.baseAddress, count, offset) })
        }
        guard got == count else { throw NotCached() }
        return buffer
    }

    /// Which directory it is, and when its entries last changed.
    static func stamp(of directory: Descriptor) throws -> SynchronizedDirectories.Stamp {
        var raw = stat()
        guard directory.use({ fstat($0, &raw) }) == 0 else { throw SystemCallError.last("fstat") }
        #if canImport(Darwin)
            let changed = raw.st_ctimespec
        #else
            let changed = raw.st_ctim
        #endif
        return SynchronizedDirectories.Stamp(
            device: UInt64(truncatingIfNeeded: raw.st_dev),
            inode: UInt64(raw.st_ino),
            seconds: Int64(changed.tv_sec),
            nanoseconds: Int64(changed.tv_nsec)
        )
    }

    /// The time of day.
    static func now() throws -> (seconds: Int64, nanoseconds: Int64) {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { throw SystemCallError.last("clock_gettime") }
        return (Int64(now.tv_sec), Int64(now.tv_nsec))
    }

    /// Asks the system to put a file's bytes, or a directory's entries, onto the medium.
    static func synchronize(_ descriptor: Descriptor) throws {
        let result = descriptor.use { number in
            #if canImport(Darwin)
                // fsync on Darwin stops at the drive's cache; this is the call that goes through it (fsync(2)).
                if fcntl(number, F_FULLFSYNC) == 0 { return 0 as Int32 }
            #endif
            return repeatingOnInterrupt { fsync(number) }
        }
        guard result == 0 else { throw SystemCallError.last("fsync") }
    }

    /// Sets the modification time to the clock's nanosecond.
    ///
    /// A kernel stamps files with the time of the last timer tick (up to 10 ms old), and an inode number is reused as
    /// soon as its file is deleted: two versions made within one tick could have equal entity tags.
    static func stampNow(_ descriptor: Descriptor) throws {
        var now = timespec()
        guard clock_gettime(CLOCK_REALTIME, &now) == 0 else { throw SystemCallError.last("clock_gettime") }
        let result = withUnsafeTemporaryAllocation(of: timespec.self, capacity: 2) { times in
            times.initialize(repeating: now)
            return descriptor.use { futimens($0, times.baseAddress) }
        }
        guard result == 0 else { throw SystemCallError.last("futimens") }
    }

    // MARK: Entries of directories

    /// What a name in a directory is; a symbolic link is reported, not followed.
    static func status(of name: UnsafePointer<CChar>, in directory: Descriptor) throws -> FileStatus {
        var raw = stat()
        guard directory.use({ fstatat($0, name, &raw, AT_SYMLINK_NOFOLLOW) }) == 0 else {
            throw SystemCallError.last("fstatat")
        }
        return FileStatus(raw)
    }

    /// Makes a directory; returns whether it is new.
    static func makeDirectory(_ name: UnsafePointer<CChar>, in directory: Descriptor, mode: UInt32) throws -> Bool {
        if directory.use({ mkdirat($0, name, mode_t(truncatingIfNeeded: mode)) }) == 0 { return true }
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
        let result = directory.use { old in newDirectory.use { new in linkat(old, name, new, newName, 0) } }
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
                newDirectory.use { linkat(AT_FDCWD, "/proc/self/fd/\(file)", $0, newName, AT_SYMLINK_FOLLOW) }
            }
            guard result == 0 else { throw SystemCallError.last("linkat") }
        }
    #endif

    /// Gives a file another name, in place of a file that has it.
    static func rename(
        _ name: UnsafePointer<CChar>,
        in directory: Descriptor,
        to newName: UnsafePointer<CChar>,
        in newDirectory: Descriptor
    ) throws {
        let result = directory.use { old in newDirectory.use { new in renameat(old, name, new, newName) } }
        guard result == 0 else { throw SystemCallError.last("renameat") }
    }

    /// Removes a name; of a directory, which must be empty, with `AT_REMOVEDIR`.
    static func unlink(_ name: UnsafePointer<CChar>, in directory: Descriptor, flags: Int32 = 0) throws {
        guard directory.use({ unlinkat($0, name, flags) }) == 0 else { throw SystemCallError.last("unlinkat") }
    }
}
