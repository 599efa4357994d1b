internal import NIOConcurrencyHelpers
internal import NIOCore
import Platform

/// The directory in which files are written before they get their names.
final class StagingArea: Sendable {
    /// The first segment of names that this storage keeps for itself.
    static let directoryName = ".stored-files-tmp"
    /// The prefix of the names of unfinished uploads.
    static let filePrefix = "upload-"

    /// Returns whether a path leads to what this storage keeps for itself, also on a file system that folds case.
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
    let ways: PlacementWays
    /// A Boolean value that indicates whether the directory has been seen to let in everybody whom the root lets in.
    let isOpened = NIOLockedValueBox(false)

    init(root: RootDirectory, fileMode: UInt32, platform: FileSystemPlatform) {
        self.root = root
        self.fileMode = fileMode
        ways = PlacementWays(usable: platform.placements)
    }

    /// An empty file; one that is going to replace another needs a name.
    ///
    /// - Parameters:
    ///   - destination: What it will be called, by which it can be found when its process has died.
    ///   - needsName: Whether it is going to replace another file.
    ///   - ways: How it may get its name. Default: those of this storage.
    func makeFile(
        for destination: StorageName,
        named needsName: Bool,
        ways: PlacementWays? = nil
    ) throws -> StagedFile {
        let ways = ways ?? self.ways
        #if os(Linux)
            if !needsName && ways.startsNameless {
                do {
                    // Readable, for the file system that will not give it a name.
                    let descriptor = try SystemCall.open(
                        ".",
                        in: root.descriptor,
                        flags: SystemCall.anonymousFileFlag | O_RDWR,
                        mode: fileMode
                    )
                    return StagedFile(
                        root: root,
                        fileMode: fileMode,
                        ways: ways,
                        descriptor: descriptor,
                        temporary: nil
                    )
                } catch let error as SystemCallError where error.isWithoutNamelessFiles {
                    ways.leaveOutNameless()
                }
            }
        #endif
        return try makeNamedFile(for: destination, ways: ways)
    }

    /// The bytes of a file that cannot get a name, in one that has one.
    func named(_ file: StagedFile, for destination: StorageName) throws -> StagedFile {
        let copy = try makeNamedFile(for: destination, ways: ways)
        do {
            var offset: Int64 = 0
            while true {
                let chunk = try SystemCall.read(largestChunk, at: offset, from: file.descriptor)
                guard chunk.readableBytes > 0 else { break }
                try copy.write(chunk)
                offset += Int64(chunk.readableBytes)
            }
        } catch {
            try? copy.discard()
            throw error
        }
        try? file.discard()
        return copy
    }

    private func makeNamedFile(for destination: StorageName, ways: PlacementWays) throws -> StagedFile {
        let name = Self.filePrefix + Self.randomName() + "." + (try Self.key(of: destination))
        let (descriptor, staging) = try makeEntry { staging in
            let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
            return try SystemCall.open(name, in: staging, flags: flags, mode: fileMode)
        }
        return StagedFile(
            root: root,
            fileMode: fileMode,
            ways: ways,
            descriptor: descriptor,
            temporary: StagedFile.Temporary(name: name, directory: staging)
        )
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
        try removeProbes(in: staging, before: limit)
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

    /// The ending of the name of an unfinished upload: a name may be longer than a file's, so its hash stands for it.
    private static func key(of name: StorageName) throws -> String {
        try SHA256Hasher.hash(Array(name.string.utf8)).prefix(16).hexadecimal
    }

    /// 128 random bits in hexadecimal.
    static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + "-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}
