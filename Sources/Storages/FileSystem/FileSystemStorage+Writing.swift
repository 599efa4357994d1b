internal import NIOCore

extension FileSystemStorage {
    /// How often a free name is looked for; with 100 random bits the second attempt finds one.
    private static let renameAttempts = 4

    /// Stores a file; it is complete or absent, never partial.
    ///
    /// A body of at most 256 KiB of known length costs one visit to the thread pool, whatever is asked for; of larger
    /// ones less than 512 KiB wait for a thread, besides the chunk that the source has just given. Directories are made
    /// when the bytes are complete, and those made for a file that cannot get its name are removed again.
    ///
    /// A task that is cancelled when the last visit to the pool has begun may find the upload complete.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - name: Where to store it; missing directories are made.
    ///   - options: What to do when the name is taken, limits.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/alreadyExists`` when the name is taken and
    ///   ``IfExists/fail`` was asked for, or when a directory on the way is a file; ``StorageError/Code/tooLarge``,
    ///   ``StorageError/Code/sourceFailed``, ``StorageError/Code/outOfSpace``, ``StorageError/Code/permissionDenied``;
    ///   ``StorageError/Code/unsupported`` for a disposition, cache control or metadata; ``StorageError/Code/wrongType``
    ///   when of the type given and the type of the name one is active content; ``StorageError/Code/io`` when the medium
    ///   fails, after which nothing is there, or with ``IfExists/replace`` perhaps the new file: the message says so; what
    ///   ``UploadOptions/tap`` throws; `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try requireOwnName(name)
        try requireKeepable(options, name)
        let driver = try BodyDriver(body, options: options, name: name, storage: label)
        let writer = FileWriter(storage: self, name: name, ifExists: options.ifExists)
        do {
            var pending: [ByteBuffer] = []
            var pendingCount = 0
            while let chunk = try await driver.next() {
                pending.append(chunk)
                pendingCount += chunk.readableBytes
                if pendingCount >= largestChunk && driver.byteCount != body.length {
                    let full = pending
                    try await run("store the file", name, writes: true) { try writer.write(full) }
                    pending = []
                    pendingCount = 0
                    driver.reportProgress()
                }
            }
            let rest = pending
            // Before the file can be seen: what fails afterwards would leave it.
            let sha256 = try driver.digest()
            let (final, entityTag) = try await run("store the file", name, writes: true) { try writer.finish(rest) }
            driver.reportEnd()
            return UploadedFile(name: final, byteCount: driver.byteCount, entityTag: entityTag, sha256: sha256)
        } catch {
            await BlockingPool.runShielded { writer.discard() }
            throw error
        }
    }

    /// Copies a file; complete or absent as an upload is.
    ///
    /// The bytes pass through this process, in constant memory, and all come from one version of the source.
    ///
    /// - Parameters:
    ///   - source: The file to copy.
    ///   - destination: The name of the copy; its extension gives the copy its type.
    ///   - options: What to do when the destination is taken, limits.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when there is no source,
    ///   ``StorageError/Code/changedDuringRead``, and as ``upload(_:to:options:)``.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try requireOwnName(destination)
        try requireKeepable(options, destination)
        let contents = try await open(source, options: OpenOptions())
        let body = UploadBody.stream(contents, length: contents.info.byteCount)
        do {
            return try await upload(body, to: destination, options: options)
        } catch let error as StorageError where error.code == .sourceFailed {
            // Here the source is this storage: its own error says more than that a source failed.
            throw error.underlying as? StorageError ?? error
        }
    }

    /// Deletes files, and the directories that become empty, up to the root.
    ///
    /// A symbolic link with such a name is removed itself, its target is not touched.
    ///
    /// - Parameter names: Any number of names. One that no file has counts as deleted.
    /// - Returns: The names that may still exist, and why.
    /// - Throws: `CancellationError`; what was deleted before stays deleted.
    public func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        var start = 0
        // One visit to the pool for so many names, so that cancelling a long deletion is noticed.
        while start < names.count {
            let batch = names[start..<min(start + 64, names.count)]
            failures += try await run("delete the files", nil) { self.deleteNow(batch) }
            start = batch.endIndex
        }
        return failures
    }

    /// Removes the bytes that unfinished uploads to the names have in the staging directory.
    ///
    /// An upload with such a file that is still going on fails at its end. Where the kernel has files without names only
    /// uploads with ``IfExists/replace`` have one; the others vanish with their process.
    ///
    /// - Parameter names: The names. One without an unfinished upload is passed over.
    /// - Throws: ``StorageError``; `CancellationError`.
    /// - Complexity: O(n) in the number of unfinished uploads.
    public func abandonUploads(of names: [StorageName]) async throws {
        for name in names { try requireOwnName(name) }
        guard !names.isEmpty else { return }
        _ = try await run("abandon unfinished uploads", nil) { try self.staging.removeFiles(for: names) }
    }

    private func deleteNow(_ names: ArraySlice<StorageName>) -> [DeletionFailure] {
        var failures: [DeletionFailure] = []
        // Directories that lost an entry and still exist, to be written out once each.
        // By name, not by text: two directories that look the same are two.
        var changed: [StorageName: [StorageName]] = [:]
        for name in names {
            do {
                try requireOwnName(name)
                // One that is missing may have been removed by somebody who has not written that out.
                let parent =
                    try directory.removeEntry(name.string)
                    ? directory.removeEmptyParents(of: name.string) : RootDirectory.parent(of: name.string[...])
                changed[StorageName(unchecked: String(parent)), default: []].append(name)
            } catch {
                failures.append(DeletionFailure(name: name, error: deletionError(error, name)))
            }
        }
        guard directory.synchronizes else { return failures }
        for (path, names) in changed {
            do {
                try directory.synchronizeDirectory(at: path.string)
            } catch {
                failures += names.map { DeletionFailure(name: $0, error: deletionError(error, $0)) }
            }
        }
        return failures
    }

    private func deletionError(_ error: any Error, _ name: StorageName) -> StorageError {
        switch error {
        case let error as StorageError: error
        case let error as SystemCallError: explain(error, "delete the file", name, writes: false)
        default: StorageError(.io, "Cannot delete the file.", name: name, storage: label, underlying: error)
        }
    }

    // MARK: Checks

    private func requireKeepable(_ options: UploadOptions, _ name: StorageName) throws {
        let refused =
            if options.contentDisposition != nil {
                "a Content-Disposition"
            } else if options.cacheControl != nil {
                "a Cache-Control"
            } else if !options.metadata.isEmpty {
                "metadata"
            } else {
                nil as String?
            }
        guard let refused else { return try requireHarmless(options.contentType, name) }
        throw StorageError(
            .unsupported,
            "A file system cannot keep \(refused) with a file. Leave it out, or keep it in the database.",
            name: name,
            storage: label
        )
    }
}

extension FileSystemStorage {
    /// Refuses bytes whose name would make a browser run them, or hide that it might.
    ///
    /// The type cannot be kept, so the file will be served as its name says. A PNG called `a.jpg` is shown all the same;
    /// HTML called `a.jpg` is an attack, and so is a PNG called `a.html` that has a script in it. Markup called a text
    /// is text: nothing that is served as `text/plain` or `text/markdown` runs.
    private func requireHarmless(_ given: ContentType?, _ name: StorageName) throws {
        guard let given, let named = ContentType(extensionOf: name), given.isActiveContent != named.isActiveContent,
            !(given.isActiveContent && named.rawValue.utf8.starts(with: "text/".utf8))
        else { return }
        let remedy = given.preferredExtension.map { " Give the name the extension .\($0), or use" } ?? " Use"
        throw StorageError(
            .wrongType,
            "The bytes are \(given), but a file system would have them served as \(named) because of the name."
                + "\(remedy) a storage that keeps types.",
            name: name,
            storage: label
        )
    }
}

/// Writes one upload, visit by visit to the pool.
///
// The file is used by one visit at a time: the upload waits for each before it begins the next.
private final class FileWriter: @unchecked Sendable {
    private let storage: FileSystemStorage
    private let name: StorageName
    private let ifExists: IfExists
    private var file: StagedFile?

    init(storage: FileSystemStorage, name: StorageName, ifExists: IfExists) {
        self.storage = storage
        self.name = name
        self.ifExists = ifExists
    }

    func write(_ buffers: [ByteBuffer]) throws {
        let file = try stagedFile()
        for buffer in buffers { try file.write(buffer) }
    }

    /// Writes the last bytes and gives the file its name.
    func finish(_ buffers: [ByteBuffer]) throws -> (StorageName, entityTag: String) {
        try write(buffers)
        let file = try stagedFile()
        let status = try file.complete()
        let final = try place(file)
        self.file = nil
        return (final, status.entityTag)
    }

    private func stagedFile() throws -> StagedFile {
        if let file { return file }
        let new = try storage.staging.makeFile(for: name, named: ifExists == .replace)
        file = new
        return new
    }

    private func place(_ file: StagedFile) throws -> StorageName {
        switch ifExists {
        case .replace:
            try file.rename(to: name.string)
            return name
        case .fail:
            try file.link(to: name.string)
            return name
        case .rename:
            return try storage.linkUnderFreeName(file, name)
        }
    }

    /// Undoes what there is, after a failure or cancellation.
    func discard() {
        // Nobody is left to tell; a name that stays is collected by removeAbandonedUploads.
        try? file?.discard()
        file = nil
    }
}

extension FileSystemStorage {
    fileprivate func linkUnderFreeName(_ file: StagedFile, _ name: StorageName) throws -> StorageName {
        var candidate = name
        for _ in 1..<Self.renameAttempts {
            do {
                try file.link(to: candidate.string)
                return candidate
            } catch let error as SystemCallError where error.isExisting {
                candidate = try name.withRandomSuffix()
            }
        }
        try file.link(to: candidate.string)
        return candidate
    }
}
