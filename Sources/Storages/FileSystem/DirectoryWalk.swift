internal import Foundation
import Platform

/// A walk over the files below a root in the byte order of their full names.
///
/// Memory is bounded: of each directory on the way it keeps the next 8192 entries at most and reads the directory again
/// when they are used up, so a directory of n entries is read n / 8192 times. Between two pages no descriptor is open.
///
/// In byte order of full names the directory "a" sorts as "a/": after the file "a-b", before the file "a0".
struct DirectoryWalk: Sendable {
    private static let batchSize = 8192
    private static let pageSize = 256
    /// Directories visited for one page at most, so that a tree of empty directories does not occupy a thread for long.
    private static let visitsPerPage = 256

    /// A directory on the way down.
    private struct Level: Sendable {
        /// "" or the directory's path with a "/" at its end.
        var path: String
        /// The bytes with which entries must start.
        var filter: [UInt8]
        /// Names in order, directories with a "/" at their end.
        var entries: [[UInt8]] = []
        var position = 0
        /// The last entry of the batches so far.
        var after: [UInt8] = []
        var isComplete = false
    }

    private let root: RootDirectory
    private var levels: [Level]

    /// A Boolean value that indicates whether there is nothing more to list.
    var isFinished: Bool { levels.isEmpty }

    init(root: RootDirectory, prefix: String) {
        self.root = root
        let bytes = Array(prefix.utf8)
        let directoryEnd = (bytes.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        let path = String(decoding: bytes[..<directoryEnd], as: UTF8.self)
        // A prefix comes from anywhere. What is not the beginning of a valid name has no files, and goes nowhere.
        guard path.isEmpty || Self.isVisible(path.withoutTrailingSlash) else {
            levels = []
            return
        }
        levels = [Level(path: path, filter: Array(bytes[directoryEnd...]))]
    }

    /// The next files; may be empty although the walk is not finished.
    mutating func nextPage() throws -> [FileInfo] {
        var page: [FileInfo] = []
        var visits = 0
        var opened: (depth: Int, directory: Descriptor)?
        while page.count < Self.pageSize, visits < Self.visitsPerPage, let level = levels.last {
            let depth = levels.count
            if level.position == level.entries.count && level.isComplete {
                levels.removeLast()
                opened = nil
                continue
            }
            let directory: Descriptor
            if let opened, opened.depth == depth {
                directory = opened.directory
            } else if level.position < level.entries.count, level.entries[level.position].last == UInt8(ascii: "/") {
                descend(from: level)
                opened = nil
                continue
            } else {
                visits += 1
                do {
                    directory = try root.directory(at: level.path.withoutTrailingSlash)
                } catch let error as SystemCallError where error.isMissing || error.isNotADirectory {
                    // Removed, or replaced by a file or a link, since the level above was read.
                    levels.removeLast()
                    continue
                }
                opened = (depth, directory)
            }
            if level.position == level.entries.count {
                try readBatch(of: directory)
            } else if level.entries[level.position].last == UInt8(ascii: "/") {
                descend(from: level)
                opened = nil
            } else {
                if let info = try info(of: level.entries[level.position], in: level, at: directory) {
                    page.append(info)
                }
                levels[depth - 1].position += 1
            }
        }
        return page
    }

    private mutating func descend(from level: Level) {
        let path = level.path + String(decoding: level.entries[level.position], as: UTF8.self)
        levels[levels.count - 1].position += 1
        levels.append(Level(path: path, filter: []))
    }

    private func info(of entry: [UInt8], in level: Level, at directory: Descriptor) throws -> FileInfo? {
        let segment = String(decoding: entry, as: UTF8.self)
        let status: FileStatus
        do {
            status = try SystemCall.status(of: segment, in: directory)
        } catch let error as SystemCallError where error.isMissing {
            return nil
        }
        guard status.kind == .file else { return nil }
        return FileInfo(name: StorageName(unchecked: level.path + segment), status: status)
    }

    /// Reads the entries that come after those seen so far, and keeps the smallest.
    private mutating func readBatch(of directory: Descriptor) throws {
        var level = levels[levels.count - 1]
        level.entries = []
        level.position = 0
        var isCut = false
        try DirectoryEntries.forEach(in: directory) { pointer, kind in
            guard let entry = Self.entry(pointer, kind: kind, in: directory, of: level) else { return }
            if isCut, let last = level.entries.last, level.entries.count == Self.batchSize,
                !entry.lexicographicallyPrecedes(last)
            {
                return
            }
            level.entries.append(entry)
            if level.entries.count == 2 * Self.batchSize {
                level.entries.sort { $0.lexicographicallyPrecedes($1) }
                level.entries.removeLast(Self.batchSize)
                isCut = true
            }
        }
        level.entries.sort { $0.lexicographicallyPrecedes($1) }
        if level.entries.count > Self.batchSize {
            level.entries.removeLast(level.entries.count - Self.batchSize)
            isCut = true
        }
        level.isComplete = !isCut
        level.after = level.entries.last ?? level.after
        levels[levels.count - 1] = level
    }

    /// The entry as it sorts, or `nil` when it cannot be, or lead to, a file of this listing.
    private static func entry(
        _ pointer: UnsafePointer<CChar>,
        kind: FileStatus.Kind?,
        in directory: Descriptor,
        of level: Level
    ) -> [UInt8]? {
        var bytes = Array(UnsafeBufferPointer(start: pointer, count: strlen(pointer)).lazy.map(UInt8.init(bitPattern:)))
        switch kind ?? (try? SystemCall.status(of: pointer, in: directory))?.kind {
        case .file: break
        case .directory: bytes.append(UInt8(ascii: "/"))
        default: return nil
        }
        guard bytes.starts(with: level.filter), level.after.isEmpty || level.after.lexicographicallyPrecedes(bytes),
            let text = String(
                validating: bytes.last == UInt8(ascii: "/") ? bytes.dropLast() : bytes[...],
                as: UTF8.self
            )
        else { return nil }
        return isVisible(level.path + text) ? bytes : nil
    }

    /// Returns whether a path is a name that can be opened, and not one that the storage keeps for itself.
    ///
    /// Names in another form than NFC, which other programs may have written, are listed as they are.
    private static func isVisible(_ path: String) -> Bool {
        StorageName.safetyViolation(in: path) == nil && !StagingArea.isReserved(path) && !DeletedFileName.isOne(path)
    }
}

/// The files of a walk as a sequence; pages are read on the pool.
struct DirectoryWalkSequence: AsyncSequence, Sendable {
    typealias Element = FileInfo

    let storage: FileSystemStorage
    let prefix: String

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(storage: storage, walk: DirectoryWalk(root: storage.directory, prefix: prefix))
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let storage: FileSystemStorage
        var walk: DirectoryWalk
        var page: [FileInfo] = []
        var position = 0

        mutating func next() async throws -> FileInfo? {
            while position == page.count {
                guard !walk.isFinished else { return nil }
                (page, walk) = try await storage.run("list the directory", nil) { [walk] in
                    var walk = walk
                    return (try walk.nextPage(), walk)
                }
                position = 0
            }
            defer { position += 1 }
            return page[position]
        }
    }
}
