/// A directory of another storage as a storage of its own: for tenants, or applications that share a bucket.
///
/// Names given and returned, and those of errors, have no prefix. Nothing outside the prefix can be reached: names are
/// checked before the prefix is put in front of them, and names that the other storage returns must lie below it.
public struct PrefixedStorage: Storage {
    /// The directory, without a slash at its end.
    public let prefix: StorageName
    /// The storage that holds the directory.
    public let base: any Storage

    /// Makes a storage of a directory.
    ///
    /// - Parameters:
    ///   - prefix: The directory, such as `tenants/42`.
    ///   - base: The storage that holds it.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName`` when the prefix is not a valid name.
    public init(prefix: String, of base: any Storage) throws {
        self.init(prefix: try StorageName(validating: prefix), of: base)
    }

    /// Makes a storage of a directory.
    ///
    /// - Parameters:
    ///   - prefix: The directory.
    ///   - base: The storage that holds it.
    public init(prefix: StorageName, of base: any Storage) {
        self.prefix = prefix
        self.base = base
    }

    /// The prefix and the label of the storage below.
    public var label: String { "PrefixedStorage(\(prefix) in \(base.label))" }

    /// The directory in the location of the storage below.
    public var location: StorageLocation? { StorageLocation(of: base).directory(prefix) }

    /// The capabilities of the storage below.
    public var capabilities: StorageCapabilities { base.capabilities }

    /// The name the storage below would give, which must leave room for the prefix.
    public func name(for original: String) throws -> StorageName {
        let name = try base.name(for: original)
        _ = try full(name)
        return name
    }

    /// Stores a file below the prefix.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        let full = try full(name)
        return try own(try await renaming { try await base.upload(body, to: full, options: options) })
    }

    /// Opens a file below the prefix.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        let full = try full(name)
        return try await renaming { try await base.open(full, options: options).renamed(to: name) }
    }

    /// Returns what the storage below knows about a file under the prefix.
    public func info(for name: StorageName) async throws -> FileInfo {
        let full = try full(name)
        var info = try await renaming { try await base.info(for: full) }
        info.name = name
        return info
    }

    /// The URL that the storage below gives, prefix included.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        let full = try full(name)
        return try await renaming { try await base.url(for: full, options: options) }
    }

    /// Deletes files below the prefix.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        var fullNames: [StorageName] = []
        fullNames.reserveCapacity(names.count)
        for name in names {
            do {
                fullNames.append(try full(name))
            } catch let error as StorageError {
                failures.append(DeletionFailure(name: name, error: error))
            }
        }
        for failure in try await renaming({ try await base.delete(fullNames) }) {
            failures.append(DeletionFailure(name: try own(failure.name), error: renamed(failure.error)))
        }
        return failures
    }

    /// Gives up unfinished uploads below the prefix.
    public func abandonUploads(of names: [StorageName]) async throws {
        let fullNames = try names.map { try full($0) }
        try await renaming { try await base.abandonUploads(of: fullNames) }
    }

    /// Removes everything that is kept under names below the prefix.
    public func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
        var receipts: [PurgedFile?] = []
        var fullNames: [StorageName] = []
        for name in names {
            do {
                fullNames.append(try full(name))
                receipts.append(nil)
            } catch let error as StorageError {
                receipts.append(PurgedFile(name: name, error: error))
            }
        }
        let purged = try await renaming { try await base.purge(fullNames) }
        guard purged.map(\.name) == fullNames else {
            throw StorageError(
                .io,
                "The storage below did not say of each name what was removed. This is a defect of it.",
                storage: label
            )
        }
        var rest = purged.makeIterator()
        return try receipts.compactMap { refused in
            guard refused == nil, var receipt = rest.next() else { return refused }
            receipt.name = try own(receipt.name)
            receipt.error = receipt.error.map(renamed)
            return receipt
        }
    }

    /// The files below the prefix.
    public func list(prefix: String) -> FileListing {
        FileListing(Listing(storage: self, files: base.list(prefix: "\(self.prefix)/\(prefix)")))
    }

    /// Copies a file below the prefix to a name below the prefix.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        let (source, destination) = (try full(source), try full(destination))
        return try own(try await renaming { try await base.copy(source, to: destination, options: options) })
    }

    /// Does something with the storage below, whose errors then have the names that are used here.
    private func renaming<Result>(_ work: () async throws -> Result) async throws -> Result {
        do {
            return try await work()
        } catch let error as StorageError {
            throw renamed(error)
        }
    }

    private func renamed(_ error: StorageError) -> StorageError {
        var error = error
        let front = "\(prefix)/".utf8
        if let name = error.name, name.utf8.starts(with: front) {
            error.name = String(Substring(name.utf8.dropFirst(front.count)))
        }
        return error
    }

    private func full(_ name: StorageName) throws -> StorageName {
        try name.requireSafe(in: label)
        do {
            return try prefix.appending(name)
        } catch let error as StorageError {
            throw renamed(error)
        }
    }

    private func own(_ name: StorageName) throws -> StorageName {
        let front = "\(prefix)/"
        guard name.hasPrefix(bytesOf: front), name.string.utf8.count > front.utf8.count else {
            throw StorageError(
                .io,
                "The storage below returned a name that is not in \(StorageError.quoted(front)). This is a defect of "
                    + "it.",
                name: name,
                storage: label
            )
        }
        return StorageName(unchecked: String(decoding: name.string.utf8.dropFirst(front.utf8.count), as: UTF8.self))
    }

    private func own(_ file: UploadedFile) throws -> UploadedFile {
        var file = file
        file.name = try own(file.name)
        return file
    }

    private struct Listing: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let storage: PrefixedStorage
        let files: FileListing

        func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(storage: storage, files: files.makeAsyncIterator())
        }

        struct AsyncIterator: AsyncIteratorProtocol {
            let storage: PrefixedStorage
            var files: FileListing.AsyncIterator

            mutating func next() async throws -> FileInfo? {
                let next: FileInfo?
                do {
                    next = try await files.next()
                } catch let error as StorageError {
                    throw storage.renamed(error)
                }
                guard var info = next else { return nil }
                info.name = try storage.own(info.name)
                return info
            }
        }
    }
}
