/// A directory of another storage as a storage of its own: for tenants, or applications that share a bucket.
///
/// Names given and returned have no prefix. Nothing outside the prefix can be reached: names are checked before the
/// prefix is put in front of them, and names that the other storage returns must lie below it.
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

    /// What the storage below can do.
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
        return try own(try await base.upload(body, to: full, options: options))
    }

    /// Opens a file below the prefix.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await base.open(try full(name), options: options).renamed(to: name)
    }

    /// What is known about a file below the prefix.
    public func info(for name: StorageName) async throws -> FileInfo {
        var info = try await base.info(for: try full(name))
        info.name = name
        return info
    }

    /// The URL that the storage below gives, prefix included.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await base.url(for: try full(name), options: options)
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
        for failure in try await base.delete(fullNames) {
            failures.append(DeletionFailure(name: try own(failure.name), error: failure.error))
        }
        return failures
    }

    /// Gives up unfinished uploads below the prefix.
    public func abandonUploads(of names: [StorageName]) async throws {
        try await base.abandonUploads(of: names.map { try full($0) })
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
        try own(try await base.copy(try full(source), to: try full(destination), options: options))
    }

    private func full(_ name: StorageName) throws -> StorageName {
        try name.requireSafe(in: label)
        return try prefix.appending(name)
    }

    private func own(_ name: StorageName) throws -> StorageName {
        let front = "\(prefix)/"
        guard name.hasPrefix(bytesOf: front), name.string.utf8.count > front.utf8.count else {
            throw StorageError(
                .io,
                "The storage below returned a name that is not in \(StorageError.quoted(front)). This is a defect of it.",
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
                guard var info = try await files.next() else { return nil }
                info.name = try storage.own(info.name)
                return info
            }
        }
    }
}
