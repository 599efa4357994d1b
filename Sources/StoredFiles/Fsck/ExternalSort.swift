import Foundation
import NIOCore
import Storages

/// Sorts the files of a storage that lists in no order by the bytes of their names, in constant memory: sorted runs in
/// temporary files, which are merged.
struct ExternalSort: Sendable {
    /// The number of files of a run: some 20 MB with long names.
    let runLength: Int
    /// The number of runs that are merged into one, which bounds the number of files that are open.
    let mergeWidth: Int

    init(runLength: Int = 50_000, mergeWidth: Int = 32) {
        self.runLength = runLength
        self.mergeWidth = mergeWidth
    }

    /// Returns the files in order; the temporary folder is removed with the listing's last iterator.
    func sorted(_ files: FileListing) -> FileListing {
        FileListing(Sequence(files: files, sort: self))
    }

    struct Sequence: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let files: FileListing
        let sort: ExternalSort

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(files: files, sort: sort)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let files: FileListing
            let sort: ExternalSort
            private var runs: SortedRuns?

            init(files: FileListing, sort: ExternalSort) {
                self.files = files
                self.sort = sort
            }

            mutating func next() async throws -> FileInfo? {
                if let runs { return try await BlockingPool.run { try runs.next() } }
                let new = try SortedRuns(mergeWidth: sort.mergeWidth)
                var run: [FileInfo] = []
                for try await file in files {
                    run.append(file)
                    guard run.count >= sort.runLength else { continue }
                    let full = run
                    try await BlockingPool.run { try new.add(full) }
                    run.removeAll(keepingCapacity: true)
                }
                let rest = run
                try await BlockingPool.run {
                    try new.add(rest)
                    try new.startMerging()
                }
                runs = new
                return try await BlockingPool.run { try new.next() }
            }
        }
    }
}

/// The sorted runs of one listing, in a temporary folder that is removed with the object.
//
// @unchecked: used by one iterator, which waits for each call before the next.
final class SortedRuns: @unchecked Sendable {
    let folder: URL
    private let mergeWidth: Int
    private var count = 0
    /// The runs by how many times their files were merged: each level has fewer than are merged at once.
    private var levels: [[URL]] = []
    private var merge: RunMerge?

    init(mergeWidth: Int) throws {
        self.mergeWidth = max(2, mergeWidth)
        folder = FileManager.default.temporaryDirectory.appending(
            path: "stored-files-sort-\(getpid())-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        removeFolder()
    }

    private func removeFolder() {
        // Gone already, or left to the system's own cleaning of temporary folders.
        try? FileManager.default.removeItem(at: folder)
    }

    private func newFile() -> URL {
        count += 1
        return folder.appending(path: "\(count)")
    }

    func add(_ files: [FileInfo]) throws {
        let run = newFile()
        let writer = try RunWriter(run)
        for file in files.sorted(by: { $0.name < $1.name }) { try writer.append(file) }
        try writer.close()
        try add(run, at: 0)
    }

    private func add(_ run: URL, at level: Int) throws {
        if level == levels.count { levels.append([]) }
        levels[level].append(run)
        guard levels[level].count == mergeWidth else { return }
        let merged = newFile()
        let writer = try RunWriter(merged)
        let merge = try RunMerge(levels[level])
        while let file = try merge.next() { try writer.append(file) }
        try writer.close()
        for run in levels[level] { try FileManager.default.removeItem(at: run) }
        levels[level] = []
        try add(merged, at: level + 1)
    }

    /// Opens what is left of the runs.
    ///
    /// - Returns: The number of files that are open now.
    @discardableResult
    func startMerging() throws -> Int {
        let runs = levels.flatMap(\.self)
        merge = try RunMerge(runs)
        return runs.count
    }

    func next() throws -> FileInfo? {
        if let file = try merge?.next() { return file }
        // Now, not when the last thread lets go of this object.
        merge = nil
        removeFolder()
        return nil
    }
}

/// Reads several sorted runs as one.
private final class RunMerge {
    private var heads: [(file: FileInfo, reader: RunReader)] = []

    init(_ runs: [URL]) throws {
        for run in runs {
            let reader = try RunReader(run)
            if let file = try reader.next() { heads.append((file, reader)) }
        }
    }

    func next() throws -> FileInfo? {
        // There are few runs: a look at each head costs less than a heap.
        guard let index = heads.indices.min(by: { heads[$0].file.name < heads[$1].file.name }) else { return nil }
        let head = heads[index]
        if let file = try head.reader.next() {
            heads[index].file = file
        } else {
            heads.remove(at: index)
        }
        return head.file
    }
}

/// Writes one run; see ``RunReader`` for its form.
private final class RunWriter {
    private static let bufferSize = 1 << 20

    private let handle: FileHandle
    private var buffer = ByteBuffer()

    init(_ url: URL) throws {
        try Data().write(to: url)
        handle = try FileHandle(forWritingTo: url)
    }

    deinit {
        // Closed already, unless writing has failed.
        try? handle.close()
    }

    func append(_ file: FileInfo) throws {
        RunReader.write(file, to: &buffer)
        if buffer.readableBytes >= Self.bufferSize { try flush() }
    }

    func close() throws {
        try flush()
        try handle.close()
    }

    private func flush() throws {
        try handle.write(contentsOf: Data(buffer.readableBytesView))
        buffer.clear()
    }
}

/// Reads one run: per file its byte count, its date, whether it is inherited, the length of its name, and the name.
private final class RunReader {
    private let handle: FileHandle
    private var buffer = ByteBuffer()

    init(_ url: URL) throws {
        handle = try FileHandle(forReadingFrom: url)
    }

    deinit {
        try? handle.close()
    }

    static func write(_ file: FileInfo, to buffer: inout ByteBuffer) {
        buffer.writeInteger(file.byteCount)
        buffer.writeInteger((file.modified?.timeIntervalSince1970 ?? .nan).bitPattern)
        buffer.writeInteger(UInt8(file.isInherited ? 1 : 0))
        buffer.writeInteger(UInt32(file.name.string.utf8.count))
        buffer.writeString(file.name.string)
    }

    func next() throws -> FileInfo? {
        guard try fill(21) else { return nil }
        guard
            let (byteCount, date, isInherited, length) = buffer.readMultipleIntegers(
                as: (Int64, UInt64, UInt8, UInt32).self
            ),
            try fill(Int(length)), let name = buffer.readString(length: Int(length))
        else { throw StorageError(.io, "A temporary file of the sort was cut. Run the check again.") }
        let modified = Double(bitPattern: date)
        return FileInfo(
            name: StorageName(unchecked: name),
            byteCount: byteCount,
            modified: modified.isNaN ? nil : Date(timeIntervalSince1970: modified),
            isInherited: isInherited == 1
        )
    }

    /// Fills the buffer with at least so many bytes; returns `false` at the end of the run.
    private func fill(_ count: Int) throws -> Bool {
        while buffer.readableBytes < count {
            guard let more = try handle.read(upToCount: 64 << 10), !more.isEmpty else { return false }
            buffer.discardReadBytes()
            buffer.writeBytes(more)
        }
        return true
    }
}
