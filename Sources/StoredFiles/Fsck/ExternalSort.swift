import Foundation
import NIOCore
import Storages

/// Brings the files of a storage that lists in no order into the order of their names' bytes, in constant memory:
/// sorted runs in temporary files, then merged.
struct ExternalSort: Sendable {
    /// The number of files of a run: some 20 MB with long names.
    let runLength: Int

    init(runLength: Int = 50_000) {
        self.runLength = runLength
    }

    /// The files in order; the temporary folder goes with the listing's last iterator.
    func sorted(_ files: FileListing) -> FileListing {
        FileListing(Sequence(files: files, runLength: runLength))
    }

    struct Sequence: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let files: FileListing
        let runLength: Int

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(files: files, runLength: runLength)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let files: FileListing
            let runLength: Int
            private var runs: SortedRuns?

            init(files: FileListing, runLength: Int) {
                self.files = files
                self.runLength = runLength
            }

            mutating func next() async throws -> FileInfo? {
                if let runs { return try await BlockingPool.run { try runs.next() } }
                let new = try SortedRuns()
                var run: [FileInfo] = []
                for try await file in files {
                    run.append(file)
                    guard run.count >= runLength else { continue }
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

/// The sorted runs of one listing, in a temporary folder that goes with the object.
//
// @unchecked: used by one iterator, which waits for each call before the next.
private final class SortedRuns: @unchecked Sendable {
    private struct Head {
        let file: FileInfo
        let reader: RunReader
    }

    private let folder: URL
    private var count = 0
    private var heads: [Head] = []

    init() throws {
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

    private func path(_ number: Int) -> URL { folder.appending(path: "\(number)") }

    func add(_ files: [FileInfo]) throws {
        var buffer = ByteBuffer()
        for file in files.sorted(by: { $0.name < $1.name }) { RunReader.write(file, to: &buffer) }
        try Data(buffer.readableBytesView).write(to: path(count))
        count += 1
    }

    func startMerging() throws {
        for number in 0..<count {
            let reader = try RunReader(path(number))
            if let file = try reader.next() { heads.append(Head(file: file, reader: reader)) }
        }
    }

    func next() throws -> FileInfo? {
        // Few runs: a look at each head costs less than a heap.
        guard let index = heads.indices.min(by: { heads[$0].file.name < heads[$1].file.name }) else {
            // Now, not when the last thread lets go of this object.
            removeFolder()
            return nil
        }
        let head = heads[index]
        if let file = try head.reader.next() {
            heads[index] = Head(file: file, reader: head.reader)
        } else {
            heads.remove(at: index)
        }
        return head.file
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
