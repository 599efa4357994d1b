import Foundation
import NIOConcurrencyHelpers
import NIOCore

/// A storage in the memory of this process: for tests, and for files that need not outlive it.
///
/// It keeps to the whole contract of ``Storage``: conditional uploads, ranges, versions, listings in byte order. Files
/// share their bytes with what is read from them, so a reader keeps its version whatever happens to the name. A file
/// has less than 4 GiB; more throws ``StorageError/Code/tooLarge``.
public final class MemoryStorage: Storage {
    /// `MemoryStorage`, or `MemoryStorage(name)` when a name was given.
    public let label: String
    private let capacity: Int64?
    /// A buffer counts its bytes in 32 bits.
    private static let largestFile = Int64(UInt32.max)
    private let files = NIOLockedValueBox(MemoryFiles())

    /// Makes an empty storage.
    ///
    /// - Parameters:
    ///   - name: Tells storages apart in messages; what they are compared by is the object. Default: none.
    ///   - capacity: The most bytes to hold in all; more throws ``StorageError/Code/outOfSpace``. Default: no limit.
    public init(name: String? = nil, capacity: Int64? = nil) {
        label = name.map { "MemoryStorage(\($0))" } ?? "MemoryStorage"
        self.capacity = capacity
    }

    /// All capabilities but temporary URLs and direct uploads.
    public var capabilities: StorageCapabilities {
        [.conditionalUpload, .rangedRead, .serverSideCopy, .orderedListing, .storedMetadata]
    }

    /// The sanitised name.
    public func name(for original: String) throws -> StorageName {
        try StorageName(originalPath: original, policy: .unicode)
    }

    /// Gathers the bytes, then makes them visible at once.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try name.requireSafe(in: label)
        var hashing = options
        // The tag is made of it.
        hashing.computesSHA256 = true
        let driver = try BodyDriver(body, options: hashing, name: name, storage: label)
        var contents = ByteBuffer()
        if let length = body.length {
            try requireCapacity(for: length, name)
            // An announcement is not believed further than this: memory comes with the bytes.
            contents.reserveCapacity(Int(min(length, 16 << 20)))
        }
        while var chunk = try await driver.next() {
            try requireCapacity(for: driver.byteCount, name)
            contents.writeBuffer(&chunk)
            driver.reportProgress()
        }
        try Task.checkCancellation()
        guard let sha256 = try driver.digest() else { throw SHA256.failure }
        let file = MemoryFile(
            contents: contents,
            sha256: sha256,
            contentType: options.contentType ?? ContentType(fileExtension: name.fileExtension),
            contentDisposition: options.contentDisposition,
            cacheControl: options.cacheControl,
            metadata: options.metadata
        )
        let final = try store(file, name, options.ifExists)
        driver.reportEnd()
        return UploadedFile(
            name: final,
            byteCount: driver.byteCount,
            entityTag: file.entityTag,
            sha256: options.computesSHA256 ? sha256 : nil
        )
    }

    /// Opens the current version, or a part of it.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        let file = try file(name)
        try options.requireMatch(file.entityTag, of: name, in: label)
        let size = Int64(file.contents.readableBytes)
        let range: Range<Int64>
        do {
            range = try options.range?.resolved(size) ?? 0..<size
        } catch var error as StorageError {
            (error.name, error.storage) = (name.string, label)
            throw error
        }
        let start = file.contents.readerIndex + Int(range.lowerBound)
        let part = file.contents.getSlice(at: start, length: range.count) ?? ByteBuffer()
        return StoredContents(info: file.info(name), range: range, progress: options.progress, buffer: part)
    }

    /// Returns what is known about the current version.
    public func info(for name: StorageName) async throws -> FileInfo {
        try file(name).info(name)
    }

    /// `memory:` and the percent-encoded name, which serves to compare only.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try name.requireSafe(in: label)
        guard options.lifetime == nil, options.contentDisposition == nil, options.contentType == nil,
            options.quantum == nil
        else {
            throw StorageError(
                .unsupported,
                "A storage in memory serves no URLs, so they have no lifetime, no quantum and no headers. Ask without "
                    + "options.",
                name: name,
                storage: label
            )
        }
        return "memory:" + PercentEncoding.encode(path: name.string)
    }

    /// Forgets files.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try Task.checkCancellation()
        var failures: [DeletionFailure] = []
        for name in names {
            do {
                try name.requireSafe(in: label)
                files.withLockedValue { $0.remove(name) }
            } catch let error as StorageError {
                failures.append(DeletionFailure(name: name, error: error))
            }
        }
        return failures
    }

    /// Forgets files: there are no other versions, and unfinished uploads have no name.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        try Task.checkCancellation()
        return names.map { name in
            if let error = name.safetyError(in: label) { return PurgedFile(name: name, error: error) }
            let existed = files.withLockedValue { files in
                defer { files.remove(name) }
                return files[name] != nil
            }
            return PurgedFile(name: name, versionCount: existed ? 1 : 0)
        }
    }

    /// Checks the names: an unfinished upload leaves nothing in memory.
    public func abandonUploads(of names: [StorageName]) async throws {
        try Task.checkCancellation()
        for name in names { try name.requireSafe(in: label) }
    }

    /// The files in byte order, each looked up when it is asked for.
    public func list(prefix: String) -> FileListing {
        FileListing(Listing(storage: self, prefix: prefix))
    }

    /// Copies by sharing the bytes.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        var file = try file(source)
        try destination.requireSafe(in: label)
        try Task.checkCancellation()
        let size = Int64(file.contents.readableBytes)
        if let limit = options.maxBytes, size > limit {
            throw StorageError(
                .tooLarge,
                "The file has \(size) bytes, more than the \(limit) allowed. Raise maxBytes.",
                name: source,
                storage: label
            )
        }
        try requireCapacity(for: size, destination)
        file.contentType = options.contentType ?? file.contentType
        file.contentDisposition = options.contentDisposition ?? file.contentDisposition
        file.cacheControl = options.cacheControl ?? file.cacheControl
        if !options.metadata.isEmpty { file.metadata = options.metadata }
        file.modified = Date()
        let final = try store(file, destination, options.ifExists)
        options.progress?(TransferProgress(completedBytes: size, totalBytes: size))
        return UploadedFile(name: final, byteCount: size, entityTag: file.entityTag, sha256: file.sha256)
    }

    private func file(_ name: StorageName) throws -> MemoryFile {
        try name.requireSafe(in: label)
        try Task.checkCancellation()
        guard let file = files.withLockedValue({ $0[name] }) else {
            throw StorageError(.notFound, "No file has this name. Check the name.", name: name, storage: label)
        }
        return file
    }

    private func requireCapacity(for count: Int64, _ name: StorageName) throws {
        guard count <= Self.largestFile else {
            throw StorageError(
                .tooLarge,
                "A file in memory has at most \(Self.largestFile) bytes. Use another storage for larger ones.",
                name: name,
                storage: label
            )
        }
        // Both are positive, and the difference cannot overflow as the sum could.
        guard let capacity, count > capacity - files.withLockedValue({ $0.byteCount }) else { return }
        throw StorageError(
            .outOfSpace,
            "The \(capacity) bytes of the storage are used up. Delete files or raise the capacity.",
            name: name,
            storage: label
        )
    }

    private func store(_ file: MemoryFile, _ name: StorageName, _ ifExists: IfExists) throws -> StorageName {
        try files.withLockedValue { files in
            let size = Int64(file.contents.readableBytes)
            let freed = ifExists == .replace ? Int64(files[name]?.contents.readableBytes ?? 0) : 0
            if let capacity, files.byteCount - freed + size > capacity {
                throw StorageError(
                    .outOfSpace,
                    "The \(capacity) bytes of the storage are used up. Delete files or raise the capacity.",
                    name: name,
                    storage: label
                )
            }
            var final = name
            switch ifExists {
            case .replace:
                break
            case .fail:
                guard files[name] == nil else {
                    throw StorageError(
                        .alreadyExists,
                        "A file has this name already. Choose another name, or upload with .rename or .replace.",
                        name: name,
                        storage: label
                    )
                }
            case .rename:
                while files[final] != nil { final = try name.withRandomSuffix() }
            }
            files[final] = file
            return final
        }
    }

    private struct Listing: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let storage: MemoryStorage
        let prefix: String

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(storage: storage, prefix: prefix)
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let storage: MemoryStorage
            let prefix: String
            var last: StorageName?

            mutating func next() async throws -> FileInfo? {
                let (prefix, last) = (prefix, last)
                let found = storage.files.withLockedValue { $0.first(prefix: prefix, after: last) }
                self.last = found?.name
                return found
            }
        }
    }
}
