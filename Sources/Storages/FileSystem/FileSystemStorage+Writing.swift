internal import NIOCore

extension FileSystemStorage {
    /// The number of attempts to find a free name; with 100 random bits the second one finds it.
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
    ///   ``StorageError/Code/unsupported`` for a disposition, cache control or metadata;
    ///   ``StorageError/Code/wrongType`` when of the type given and the type of the name one is active content;
    ///   ``StorageError/Code/io`` when the medium fails, after which nothing is there, or with ``IfExists/replace``
    ///   perhaps the new file: the message says so; what ``UploadOptions/tap`` throws; `CancellationError`.
    /// - Complexity: O(n) in the byte count, constant memory.
    public func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try requireOwnName(name)
        try requireListed(name)
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
            // Nothing yet: then nobody waits for a file system that may hang.
            if writer.hasFile { await BlockingPool.runShielded(on: directory.threads) { writer.discard() } }
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
        try requireListed(destination)
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

    // MARK: Checks

    /// Refuses names that file systems give to files which were deleted while they were open: they are not listed.
    private func requireListed(_ name: StorageName) throws {
        guard DeletedFileName.isOne(name.string) else { return }
        throw StorageError(
            .invalidName,
            "Names such as \(name.lastComponent) are those that NFS and FUSE give to deleted files which are still "
                + "open. Use another name.",
            name: name,
            storage: label
        )
    }

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
    /// The type cannot be kept, so the file will be served as its name says. A PNG called `a.jpg` is shown all the
    /// same; HTML called `a.jpg` is an attack, and so is a PNG called `a.html` that has a script in it. Markup called a
    /// text is text: nothing that is served as `text/plain` or `text/markdown` runs.
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

    /// A Boolean value that indicates whether there is something to undo.
    var hasFile: Bool { file != nil }

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
        var file = try stagedFile()
        var status = try file.complete()
        let final: StorageName
        do {
            final = try place(file, status)
        } catch is NamelessFileRefused {
            // Seen once: then a way for files with names has worked here, and all are made with names.
            file = try storage.staging.named(file, for: name)
            self.file = file
            status = try file.complete()
            final = try place(file, status)
        }
        self.file = nil
        return (final, status.entityTag)
    }

    private func stagedFile() throws -> StagedFile {
        if let file { return file }
        let new = try storage.staging.makeFile(for: name, named: ifExists == .replace)
        file = new
        return new
    }

    private func place(_ file: StagedFile, _ status: FileStatus) throws -> StorageName {
        switch ifExists {
        case .replace:
            try file.rename(to: name.string, as: status)
            return name
        case .fail:
            try file.link(to: name.string, as: status)
            return name
        case .rename:
            return try storage.linkUnderFreeName(file, status, name)
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
    fileprivate func linkUnderFreeName(
        _ file: StagedFile,
        _ status: FileStatus,
        _ name: StorageName
    ) throws -> StorageName {
        var candidate = name
        for _ in 1..<Self.renameAttempts {
            do {
                try file.link(to: candidate.string, as: status)
                return candidate
            } catch let error as SystemCallError where error.isAlreadyExists {
                candidate = try name.withRandomSuffix()
            }
        }
        try file.link(to: candidate.string, as: status)
        return candidate
    }
}
