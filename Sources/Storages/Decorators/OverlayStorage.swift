/// A storage that reads what another one has and writes to one of its own: for a copy of a database that uses the files
/// of production and changes none of them.
///
/// ```swift
/// let media = try OverlayStorage(upper: FileSystemStorage(root: "/var/lib/staging/media"), lower: production)
/// ```
///
/// **Reading.** A file is looked for in the upper storage, then in the lower one; a listing is the merge of both, in
/// which the upper one wins. What comes from the lower storage is marked by ``FileInfo/isInherited``.
///
/// **Writing.** Uploads, copies, deletions and purges go to the upper storage. The lower one is never written to, so
/// its credentials need the right to read objects and, on S3, to list the bucket: without it S3 responds with 403
/// instead of 404 for what is missing.
///
/// **Deleting** a name that the lower storage has puts a *whiteout* into the upper one, the object
/// `.stored-files-whiteouts/<SHA-256 of the name>`, whose contents are the name. From then on no file has the name,
/// until one is stored under it again; then the whiteout is removed. A deletion puts the whiteout before the file
/// of the upper storage goes, and an upload removes it after the file is there: what a crash leaves is a file and
/// a whiteout, and the file counts. At no time a deleted file of the lower storage can be seen again.
///
/// **Not overwriting.** ``IfExists/fail`` and ``IfExists/rename`` count the files of both storages. Between those who
/// write through an overlay of the same upper storage the promise is that storage's. What the lower storage gets in the
/// moment of an upload is not seen: the new file covers it then. Nothing is lost by that, and the random names of
/// fields never meet.
///
/// **What is not inherited**: names with a segment that begins with `.stored-files-`. The mark that says which database
/// decides about the lower storage is not taken for one on this storage.
///
/// A read of a file that the lower storage has costs three requests to the upper one first, of a file that the upper
/// one has none. Presigned uploads of browsers go to ``upper``, which they are asked of.
public struct OverlayStorage: Storage {
    /// The storage that is written to, and read first.
    public let upper: any Storage
    /// The storage that is only read.
    public let lower: any Storage

    /// Puts one storage over another.
    ///
    /// - Parameters:
    ///   - upper: The storage to write to. It may have files already.
    ///   - lower: The storage to read what the upper one does not have.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` when they have one location, or
    ///   one lies within the other's: what is written to the upper one would be written to the lower one.
    public init(upper: any Storage, lower: any Storage) throws {
        self.upper = upper
        self.lower = lower
        guard !StorageIdentity(upper).overlaps(StorageIdentity(lower)) else {
            throw StorageError(
                .invalidConfiguration,
                "\(upper.label) cannot lie over \(lower.label): they are one place, or one lies within the other. "
                    + "Give the upper storage a place of its own.",
                storage: label
            )
        }
    }

    var whiteouts: Whiteouts { Whiteouts(upper: upper) }

    /// The labels of both storages.
    public var label: String { "OverlayStorage(\(upper.label) over \(lower.label))" }

    /// The location of the upper storage, whose files are changed.
    public var location: StorageLocation? { StorageLocation(of: upper) }

    /// The capabilities of both storages, where both are needed: ranged reads, temporary URLs, ordered listings.
    ///
    /// Conditional uploads, direct uploads and stored metadata are those of the upper storage. There is no
    /// ``StorageCapabilities/serverSideCopy``: what comes from the lower storage passes through this process.
    public var capabilities: StorageCapabilities {
        let written: StorageCapabilities = [.conditionalUpload, .directUpload, .storedMetadata]
        let read: StorageCapabilities = [.rangedRead, .temporaryURL, .orderedListing]
        let above = upper.capabilities
        return above.intersection(written).union(above.intersection(lower.capabilities).intersection(read))
    }

    /// The name the upper storage would give.
    public func name(for original: String) throws -> StorageName {
        try upper.name(for: original)
    }

    // MARK: Reading

    /// Opens a file of the upper storage, or else of the lower one.
    public func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await reading(name) { storage, isInherited in
            var contents = try await storage.open(name, options: options)
            if isInherited { contents.info.isInherited = true }
            return contents
        }
    }

    /// Returns what the upper storage knows about a file, or else the lower one.
    public func info(for name: StorageName) async throws -> FileInfo {
        try await reading(name) { storage, isInherited in
            var info = try await storage.info(for: name)
            if isInherited { info.isInherited = true }
            return info
        }
    }

    /// A URL of the storage that has the file; of the upper one when neither has it.
    ///
    /// Other than elsewhere the file is looked up.
    public func url(for name: StorageName, options: URLOptions) async throws -> String {
        try name.requireSafe(in: label)
        if options.lifetime != nil, !capabilities.contains(.temporaryURL) {
            throw StorageError(
                .unsupported,
                "A URL has a lifetime only where both storages of an overlay can give it one. Ask without a lifetime, "
                    + "or ask the storage that has the file.",
                name: name,
                storage: label
            )
        }
        var holder = upper
        do {
            holder = try await reading(name) { storage, _ in
                _ = try await storage.info(for: name)
                return storage
            }
        } catch let error as StorageError where error.code == .notFound {
            // A URL can be made for a file that is not there yet, and it will come into the upper storage.
        }
        return try await holder.url(for: name, options: options)
    }

    /// The files of both storages: in byte order when both list in it.
    ///
    /// It is not a snapshot. Of a file that is stored or deleted meanwhile the one of the lower storage may be listed,
    /// which it covers or hides.
    ///
    /// - Parameter prefix: Compared by UTF-8 bytes.
    /// - Returns: A sequence that fetches as it is iterated.
    /// - Complexity: Besides the two listings, one request to the upper storage for each of the first 512 names that
    ///   only the lower one has, then a listing of the whiteouts; when there are more than 65,536 of those, a request
    ///   for each name instead. At most 256 files and 65,536 hashes, 4 MB, are kept. When one of the two does not list
    ///   in order, one more request for each file of the lower storage, and a file that is stored meanwhile may be
    ///   listed twice.
    public func list(prefix: String) -> FileListing {
        FileListing(OverlayListing(storage: self, prefix: prefix))
    }

    /// Does something with the storage that has a file.
    ///
    /// - Throws: What the upper storage says when neither has it.
    func reading<Result>(
        _ name: StorageName,
        _ read: (_ storage: any Storage, _ isInherited: Bool) async throws -> Result
    ) async throws -> Result {
        try name.requireSafe(in: label)
        do {
            return try await read(upper, false)
        } catch let missing as StorageError where missing.code == .notFound && !name.isReserved {
            guard try await !whiteouts.contains(name) else { throw missing }
            // Between the two looks a new file may have come in place of a deleted one, and its whiteout gone. The
            // deleted one must not be taken for it.
            do {
                return try await read(upper, false)
            } catch let error as StorageError where error.code == .notFound {}
            do {
                return try await read(lower, true)
            } catch let error as StorageError where error.code == .notFound || error.code == .invalidName {
                // A name that the lower storage cannot have it does not have.
                throw missing
            }
        }
    }
}
