internal import NIOCore

#if canImport(Darwin)
    internal import Darwin
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Glibc
#endif

/// A file that is being written and has no name that anybody can see yet.
///
/// Where the kernel can (`O_TMPFILE`, and `linkat` through `/proc/self/fd`) it has no name at all and vanishes with the
/// process. Elsewhere, and when it shall replace another file, which only `renameat` does atomically, it has a random
/// name in the staging directory below the root.
final class StagedFile: Sendable {
    private let area: StagingArea
    private let descriptor: Descriptor
    private let name: String?

    fileprivate init(area: StagingArea, descriptor: Descriptor, name: String?) {
        self.area = area
        self.descriptor = descriptor
        self.name = name
    }

    func write(_ buffer: ByteBuffer) throws {
        try SystemCall.write(buffer, to: descriptor.number)
    }

    /// Puts the bytes onto the medium and returns what the file is; the next step is one of the two below.
    func complete() throws -> FileStatus {
        try SystemCall.stampNow(descriptor.number)
        if area.root.synchronizes { try SystemCall.synchronize(descriptor.number) }
        return try SystemCall.status(of: descriptor.number)
    }

    /// Makes the file appear under `destination` unless something is there: then it throws `EEXIST`.
    func link(to destination: String) throws {
        try area.root.makeEntry(named: destination) { directory, segment in
            if let name {
                let staging = try area.directory()
                guard linkat(staging.number, name, directory, segment, 0) == 0 else {
                    throw SystemCallError.last("linkat")
                }
            } else {
                guard linkat(AT_FDCWD, "/proc/self/fd/\(descriptor.number)", directory, segment, AT_SYMLINK_FOLLOW) == 0
                else { throw SystemCallError.last("linkat") }
            }
        }
        // The bytes are in place under both names; a leftover of the second is harmless and is collected later.
        try? discard()
    }

    /// Makes the file appear under `destination`, in place of the file that may be there.
    func rename(to destination: String) throws {
        guard let name else { return try link(to: destination) }
        let staging = try area.directory()
        try area.root.makeEntry(named: destination) { directory, segment in
            guard renameat(staging.number, name, directory, segment) == 0 else {
                throw SystemCallError.last("renameat")
            }
        }
        descriptor.closeNow()
    }

    /// Removes the temporary name, if there is one, and lets go of the bytes.
    func discard() throws {
        defer { descriptor.closeNow() }
        guard let name else { return }
        guard unlinkat(try area.directory().number, name, 0) == 0 || errno == ENOENT else {
            throw SystemCallError.last("unlinkat")
        }
    }
}

/// Where files are written before they get their names.
final class StagingArea: Sendable {
    /// The first segment of names that this storage keeps for itself.
    static let directoryName = ".stored-files-tmp"
    /// What the names of unfinished uploads start with.
    static let filePrefix = "upload-"

    /// Whether a path leads to what this storage keeps for itself.
    static func isReserved(_ path: String) -> Bool {
        path.utf8.starts(with: directoryName.utf8)
    }

    let root: RootDirectory
    let fileMode: UInt32
    private let makesAnonymousFiles: Bool

    init(root: RootDirectory, fileMode: UInt32) {
        self.root = root
        self.fileMode = fileMode
        makesAnonymousFiles = Self.probeAnonymousFiles(in: root)
    }

    /// An empty file; one that is going to replace another needs a name.
    func makeFile(named needsName: Bool) throws -> StagedFile {
        #if os(Linux)
            if makesAnonymousFiles && !needsName {
                let descriptor = try SystemCall.open(
                    ".",
                    in: root.number,
                    flags: anonymousFileFlag | O_WRONLY,
                    mode: fileMode
                )
                return StagedFile(area: self, descriptor: descriptor, name: nil)
            }
        #endif
        let staging = try directory(creates: true)
        let name = Self.filePrefix + Self.randomName()
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let descriptor = try SystemCall.open(name, in: staging.number, flags: flags, mode: fileMode)
        return StagedFile(area: self, descriptor: descriptor, name: name)
    }

    func directory(creates: Bool = false) throws -> Descriptor {
        do {
            return try SystemCall.openDirectory(Self.directoryName, in: root.number)
        } catch let error as SystemCallError where error.isMissing && creates {
            guard mkdirat(root.number, Self.directoryName, 0o700) == 0 || errno == EEXIST else {
                throw SystemCallError.last("mkdirat")
            }
            return try SystemCall.openDirectory(Self.directoryName, in: root.number)
        }
    }

    /// Removes the unfinished uploads that nobody has written to since `limit` (seconds since 1970).
    func removeFiles(olderThan limit: Int64) throws -> Int {
        let staging: Descriptor
        do {
            staging = try directory()
        } catch let error as SystemCallError where error.isMissing {
            return 0
        }
        var removed = 0
        try DirectoryEntries.forEach(in: staging.number) { name, _ in
            guard strncmp(name, Self.filePrefix, Self.filePrefix.utf8.count) == 0,
                let status = try? SystemCall.status(of: name, in: staging.number),
                status.kind == .file, status.seconds < limit
            else { return }
            if unlinkat(staging.number, name, 0) == 0 { removed += 1 }
        }
        return removed
    }

    /// 128 random bits in hexadecimal.
    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + "-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    // MARK: Files without a name

    #if os(Linux)
        /// `O_TMPFILE` of asm-generic/fcntl.h, which the C library's module does not export: `__O_TMPFILE | O_DIRECTORY`.
        private var anonymousFileFlag: Int32 { 0o20_000_000 | O_DIRECTORY }
    #endif

    /// Tries it once: the kernel, the file system and a mounted /proc must all play along.
    private static func probeAnonymousFiles(in root: RootDirectory) -> Bool {
        #if os(Linux)
            guard let file = try? SystemCall.open(".", in: root.number, flags: 0o20_000_000 | O_DIRECTORY | O_WRONLY)
            else { return false }
            let name = directoryName + "-" + randomName()
            guard linkat(AT_FDCWD, "/proc/self/fd/\(file.number)", root.number, name, AT_SYMLINK_FOLLOW) == 0
            else { return false }
            _ = unlinkat(root.number, name, 0)
            return true
        #else
            return false
        #endif
    }
}
