internal import Foundation
internal import NIOCore
import Platform

extension FileSystemStorage {
    /// Opens a file; all bytes come from the file that had the name at this moment.
    ///
    /// A file that is replaced or deleted meanwhile stays readable to its end. One that another program cuts or
    /// rewrites in place makes the next chunk throw ``StorageError/Code/changedDuringRead``. Contents of at most
    /// 256 KiB are read at once, of others the first chunk is: without a visit to the thread pool where Linux has
    /// the file in its cache and can say so, otherwise in one.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - options: A range, a version, progress.
    /// - Returns: The contents, to be read once. The file is closed with the last chunk; when it is not read to its
    ///   end, as soon as the contents or, once there is one, their iterator are gone.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound``, ``StorageError/Code/invalidRange``,
    ///   ``StorageError/Code/preconditionFailed``, ``StorageError/Code/permissionDenied`` when a segment is a symbolic
    ///   link.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        let range = options.range
        let ifMatch = options.ifMatch
        try requireOwnName(name)
        let opened: OpenedFile
        if let cached = try openCachedFile(name, range: range, ifMatch: ifMatch) {
            opened = cached
        } else {
            opened = try await run("open the file", name) {
                let descriptor = try self.directory.open(name.string, flags: Self.readingFlags)
                return try self.openedFile(
                    descriptor,
                    named: name,
                    range: range,
                    ifMatch: ifMatch,
                    readingBy: SystemCall.read
                )
            }
        }
        let info = FileInfo(name: name, status: opened.status)
        guard let descriptor = opened.descriptor else {
            return StoredContents(info: info, range: opened.range, progress: options.progress, buffer: opened.first)
        }
        let chunks = FileChunks(
            storage: self,
            name: name,
            descriptor: descriptor,
            status: opened.status,
            range: opened.range,
            first: opened.first
        )
        return StoredContents(info: info, range: opened.range, progress: options.progress, chunks: chunks)
    }

    /// Size, type by extension, tag and date of a file.
    ///
    /// - Parameter name: The file.
    /// - Returns: What the file system and the name say.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when no regular file has the name.
    public func info(for name: StorageName) async throws -> FileInfo {
        try requireOwnName(name)
        return try await run("look up the file", name) {
            let status = try self.directory.status(of: name.string)
            try self.requireFile(status, name)
            return FileInfo(name: name, status: status)
        }
    }

    /// The files whose names begin with a prefix, in byte order.
    ///
    /// Directories that cannot hold such a file are not read. Entries that are not regular files, or whose names
    /// no ``StorageName`` can hold, are left out.
    ///
    /// - Parameter prefix: Compared by UTF-8 bytes.
    /// - Returns: A sequence that reads 256 files at a time.
    /// - Complexity: O(n log n) in the entries of a directory, constant memory: of each directory on the way at most
    ///   8192 names are kept.
    public func list(prefix: String) -> FileListing {
        FileListing(DirectoryWalkSequence(storage: self, prefix: prefix))
    }

    struct OpenedFile: Sendable {
        var status: FileStatus
        var range: Range<Int64>
        var first: ByteBuffer
        /// The open file; `nil` when `first` is everything.
        var descriptor: Descriptor?
    }

    // O_NONBLOCK: a FIFO put there by somebody else must not hold the thread; files do not know it.
    private static let readingFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

    /// Opens a file and reads its first chunk when no disk has to be waited for; `nil` when that is not known.
    private func openCachedFile(_ name: StorageName, range: ByteRange?, ifMatch: String?) throws -> OpenedFile? {
        try Task.checkCancellation()
        return try explaining("open the file", name) {
            guard let descriptor = try directory.openCached(name.string, flags: Self.readingFlags) else { return nil }
            do {
                return try openedFile(
                    descriptor,
                    named: name,
                    range: range,
                    ifMatch: ifMatch,
                    readingBy: SystemCall.readCached
                )
            } catch is SystemCall.NotCached {
                return nil
            }
        }
    }

    /// Checks an open file and reads its first chunk.
    func openedFile(
        _ descriptor: Descriptor,
        named name: StorageName,
        range: ByteRange?,
        ifMatch: String?,
        readingBy read: (_ count: Int, _ offset: Int64, _ descriptor: Descriptor) throws -> ByteBuffer
    ) throws -> OpenedFile {
        let status = try SystemCall.status(of: descriptor)
        try requireFile(status, name)
        if let ifMatch, ifMatch != status.entityTag {
            throw StorageError(
                .preconditionFailed,
                "The file has another version than the one asked for (\(StorageError.quoted(ifMatch))). Look up its "
                    + "current entity tag and decide again.",
                name: name,
                storage: label
            )
        }
        let resolved: Range<Int64>
        do {
            resolved = try range?.resolved(status.size) ?? 0..<status.size
        } catch var error as StorageError {
            error.name = name.string
            error.storage = label
            throw error
        }
        let count = Int(min(resolved.upperBound - resolved.lowerBound, Int64(largestChunk)))
        let first = count == 0 ? ByteBuffer() : try read(count, resolved.lowerBound, descriptor)
        // A short file that is rewritten at this moment would come out half old, half new.
        guard first.readableBytes == count, try count == 0 || SystemCall.status(of: descriptor) == status else {
            throw changed(name)
        }
        let isWhole = Int64(count) == resolved.upperBound - resolved.lowerBound
        return OpenedFile(status: status, range: resolved, first: first, descriptor: isWhole ? nil : descriptor)
    }

    func requireFile(_ status: FileStatus, _ name: StorageName) throws {
        switch status.kind {
        case .file: return
        case .symbolicLink: throw SystemCallError(call: "fstatat", number: ELOOP)
        case .directory: throw SystemCallError(call: "fstatat", number: EISDIR)
        case .other: throw noFile(name)
        }
    }

    func changed(_ name: StorageName) -> StorageError {
        StorageError(
            .changedDuringRead,
            "Another program changed the file in place while it was being read. Open it again.",
            name: name,
            storage: label
        )
    }
}

/// The chunks of an open file.
struct FileChunks: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    let storage: FileSystemStorage
    let name: StorageName
    let descriptor: Descriptor
    let status: FileStatus
    let range: Range<Int64>
    let first: ByteBuffer

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(chunks: self, position: range.lowerBound)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        let chunks: FileChunks
        var position: Int64

        mutating func next() async throws -> ByteBuffer? {
            let range = chunks.range
            guard position < range.upperBound else { return nil }
            if position == range.lowerBound {
                position += Int64(chunks.first.readableBytes)
                return chunks.first
            }
            let count = Int(Swift.min(range.upperBound - position, Int64(largestChunk)))
            let chunk = try await chunks.storage.run("read the file", chunks.name) { [chunks, position] in
                let chunk = try SystemCall.read(count, at: position, from: chunks.descriptor)
                guard chunk.readableBytes == count,
                    try SystemCall.status(of: chunks.descriptor) == chunks.status
                else { throw chunks.storage.changed(chunks.name) }
                // There is one iterator. Closing here spares it from a thread that must not wait.
                if position + Int64(count) == chunks.range.upperBound { chunks.descriptor.closeNow() }
                return chunk
            }
            position += Int64(count)
            return chunk
        }
    }
}

extension FileInfo {
    /// Creates a description of a file from its status and its name.
    init(name: StorageName, status: FileStatus) {
        self.init(
            name: name,
            byteCount: status.size,
            contentType: ContentType(extensionOf: name),
            entityTag: status.entityTag,
            modified: Date(
                timeIntervalSince1970: TimeInterval(status.seconds) + TimeInterval(status.nanoseconds) / 1_000_000_000
            )
        )
    }
}
