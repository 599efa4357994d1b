internal import CLinuxFiles
internal import NIOCore
import Platform

/// The system calls of this folder: errors thrown, interrupted calls repeated, short writes completed.
enum SystemCall {
    /// The path without symbolic links, `.` and `..`; `nil` when the system cannot tell.
    static func canonicalPath(_ path: String) -> String? {
        // The function allocates the path, and its caller frees it.
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

    /// Returns whether the kernel, and what filters its calls, offer `openat2`.
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
        // EINVAL: a kernel before 5.12. EXDEV: something is mounted on the way.
        guard ![-EAGAIN, -EINTR, -EINVAL, -EXDEV].contains(number) else { return nil }
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

    /// Returns the identity of a directory, and the time at which its entries last changed.
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

    /// Asks the system for the errors of what was written so far, as the last `close` would.
    ///
    /// Where nothing is asked to be on the medium, a file system across a network tells only here of a full disk or
    /// quota: NFS and CIFS write out when a descriptor is closed, FUSE calls its program.
    static func flush(_ descriptor: Descriptor) throws {
        let number = descriptor.use { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        guard number >= 0 else { throw SystemCallError.last("fcntl") }
        try Descriptor(number).closeTelling()
    }

    /// Sets the modification time to the clock's nanosecond.
    ///
    /// Where it may not be set (a share that maps users, a program behind FUSE) the file keeps the kernel's time.
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
        guard result == 0 || [EPERM, EACCES, ENOSYS, EINVAL, ENOTSUP, EOPNOTSUPP].contains(errno) else {
            throw SystemCallError.last("futimens")
        }
    }
}
