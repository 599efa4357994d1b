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
    /// A name in the staging directory, which stays open with it: to remove the name no descriptor is needed that a
    /// process with too many may not get.
    fileprivate struct Temporary: Sendable {
        var name: String
        var directory: Descriptor
    }

    private let root: RootDirectory
    private let descriptor: Descriptor
    private let temporary: Temporary?

    fileprivate init(root: RootDirectory, descriptor: Descriptor, temporary: Temporary?) {
        self.root = root
        self.descriptor = descriptor
        self.temporary = temporary
    }

    func write(_ buffer: ByteBuffer) throws {
        try SystemCall.write(buffer, to: descriptor)
    }

    /// Puts the bytes onto the medium and returns what the file is; the next step is one of the two below.
    func complete() throws -> FileStatus {
        try SystemCall.stampNow(descriptor)
        if root.synchronizes { try root.synchronize(descriptor) }
        return try SystemCall.status(of: descriptor)
    }

    /// Makes the file appear under `destination` unless something is there: then it throws `EEXIST`.
    ///
    /// When this throws, the file is not there: an entry that could not be written out is removed, unless another file
    /// has taken its place by then.
    func link(to destination: String) throws {
        try root.makeEntry(named: destination) { directory, segment in
            if let temporary {
                try keepingCollected(temporary) {
                    try SystemCall.link(temporary.name, in: temporary.directory, to: segment, in: directory)
                }
            } else {
                #if os(Linux)
                    try SystemCall.link(descriptor, to: segment, in: directory)
                #endif
            }
        } undo: { directory, segment in
            guard let own = try? SystemCall.status(of: descriptor),
                let there = try? SystemCall.status(of: segment, in: directory), there.inode == own.inode
            else { return }
            // Nobody is left to tell: the upload throws the reason why this is undone.
            try? SystemCall.unlink(segment, in: directory)
        }
        // The bytes are in place under both names; a leftover of the second is harmless and is collected later.
        try? discard()
    }

    /// Makes the file appear under `destination`, in place of the file that may be there.
    func rename(to destination: String) throws {
        guard let temporary else { return try link(to: destination) }
        var isReplaced = false
        do {
            try root.makeEntry(named: destination) { directory, segment in
                try keepingCollected(temporary) {
                    try SystemCall.rename(temporary.name, in: temporary.directory, to: segment, in: directory)
                }
                isReplaced = true
            } undo: { _, _ in
                // The old file is gone; what is there is complete, and more than nothing.
            }
        } catch var error as SystemCallError where isReplaced {
            error.isAfterReplacing = true
            throw error
        }
        descriptor.closeNow()
    }

    /// Tells a temporary name that is gone from a directory that is: both are `ENOENT` of one call.
    private func keepingCollected(_ temporary: Temporary, _ work: () throws -> Void) throws {
        do {
            try work()
        } catch let error as SystemCallError where error.isMissing {
            do {
                _ = try SystemCall.status(of: temporary.name, in: temporary.directory)
            } catch let error as SystemCallError where error.isMissing {
                throw StagedFileCollected()
            }
            throw error
        }
    }

    /// Removes the temporary name, if there is one, and lets go of the bytes.
    func discard() throws {
        defer { descriptor.closeNow() }
        guard let temporary else { return }
        try SystemCall.unlink(temporary.name, in: temporary.directory)
    }
}

/// Somebody has removed the temporary name of an upload that was not finished.
struct StagedFileCollected: Error {}

/// Where files are written before they get their names.
final class StagingArea: Sendable {
    /// The first segment of names that this storage keeps for itself.
    static let directoryName = ".stored-files-tmp"
    /// What the names of unfinished uploads start with.
    static let filePrefix = "upload-"

    /// Whether a path leads to what this storage keeps for itself, also on a file system that folds case.
    static func isReserved(_ path: String) -> Bool {
        guard let byte = path.utf8.first, byte == UInt8(ascii: ".") || byte >= 0x80 else { return false }
        let start = path.utf8.prefix(directoryName.utf8.count)
        if start.allSatisfy({ $0 < 0x80 }) {
            return start.lazy.map { $0 | 0x20 }.elementsEqual(directoryName.utf8.lazy.map { $0 | 0x20 })
        }
        guard byte < 0x80 || path.unicodeScalars.first?.properties.isDefaultIgnorableCodePoint == true
        else { return false }
        // Such a file system compares full case foldings without the code points that nobody sees: a long s is an s, a
        // ligature two letters.
        var folded = String.UnicodeScalarView()
        for scalar in path.unicodeScalars.prefix(4 * directoryName.utf8.count)
        where !scalar.properties.isDefaultIgnorableCodePoint { folded.append(scalar) }
        return String(folded).uppercased().lowercased().utf8.starts(with: directoryName.utf8)
    }

    let root: RootDirectory
    let fileMode: UInt32
    private let makesAnonymousFiles: Bool

    init(root: RootDirectory, fileMode: UInt32, platform: FileSystemPlatform) {
        self.root = root
        self.fileMode = fileMode
        makesAnonymousFiles = platform.makesAnonymousFiles && Self.probeAnonymousFiles(in: root)
    }

    /// An empty file; one that is going to replace another needs a name.
    ///
    /// - Parameters:
    ///   - destination: What it will be called, by which it can be found when its process has died.
    ///   - needsName: Whether it is going to replace another file.
    func makeFile(for destination: StorageName, named needsName: Bool) throws -> StagedFile {
        #if os(Linux)
            if makesAnonymousFiles && !needsName {
                let descriptor = try SystemCall.open(
                    ".",
                    in: root.descriptor,
                    flags: SystemCall.anonymousFileFlag | O_WRONLY,
                    mode: fileMode
                )
                return StagedFile(root: root, descriptor: descriptor, temporary: nil)
            }
        #endif
        let staging = try directory(creates: true)
        let name = Self.filePrefix + Self.randomName() + "." + (try Self.key(of: destination))
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
        let descriptor = try SystemCall.open(name, in: staging, flags: flags, mode: fileMode)
        let temporary = StagedFile.Temporary(name: name, directory: staging)
        return StagedFile(root: root, descriptor: descriptor, temporary: temporary)
    }

    func directory(creates: Bool = false) throws -> Descriptor {
        do {
            return try SystemCall.openDirectory(Self.directoryName, in: root.descriptor)
        } catch let error as SystemCallError where error.isMissing && creates {
            _ = try SystemCall.makeDirectory(Self.directoryName, in: root.descriptor, mode: 0o700)
            return try SystemCall.openDirectory(Self.directoryName, in: root.descriptor)
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
        try DirectoryEntries.forEach(in: staging) { name, _ in
            guard strncmp(name, Self.filePrefix, Self.filePrefix.utf8.count) == 0,
                let status = try? SystemCall.status(of: name, in: staging),
                status.kind == .file, status.seconds < limit
            else { return }
            // Gone already, or no permission: then it is not one that was removed here.
            if (try? SystemCall.unlink(name, in: staging)) != nil { removed += 1 }
        }
        return removed
    }

    /// Removes the unfinished uploads to names, also those that are still written to.
    func removeFiles(for names: [StorageName]) throws -> Int {
        let staging: Descriptor
        do {
            staging = try directory()
        } catch let error as SystemCallError where error.isMissing {
            return 0
        }
        let keys = Set(try names.map { Substring(try Self.key(of: $0)) })
        var found: [String] = []
        try DirectoryEntries.forEach(in: staging) { entry, _ in
            let name = String(cString: entry)
            guard name.hasPrefix(Self.filePrefix), let dot = name.lastIndex(of: "."),
                keys.contains(name[name.index(after: dot)...])
            else { return }
            found.append(name)
        }
        var removed = 0
        for name in found {
            do {
                try SystemCall.unlink(name, in: staging)
                removed += 1
            } catch let error as SystemCallError where error.isMissing {
                // Finished or undone meanwhile.
            }
        }
        return removed
    }

    /// What the name of an unfinished upload ends in: a name may be longer than a file's, so its hash stands for it.
    private static func key(of name: StorageName) throws -> String {
        try SHA256Hasher.hash(Array(name.string.utf8)).prefix(16).hexadecimal
    }

    /// 128 random bits in hexadecimal.
    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + "-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }

    /// Tries files without a name once: the kernel, the file system and a mounted /proc must all play along.
    private static func probeAnonymousFiles(in root: RootDirectory) -> Bool {
        #if os(Linux)
            let flags = SystemCall.anonymousFileFlag | O_WRONLY
            let name = directoryName + "-" + randomName()
            guard let file = try? SystemCall.open(".", in: root.descriptor, flags: flags),
                (try? SystemCall.link(file, to: name, in: root.descriptor)) != nil
            else { return false }
            return (try? SystemCall.unlink(name, in: root.descriptor)) != nil
        #else
            return false
        #endif
    }
}
