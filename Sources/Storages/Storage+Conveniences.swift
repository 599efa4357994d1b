extension Storage {
    /// The default, `nil`: an object is a location of its own, and values of one type share one when their labels are
    /// equal.
    public var location: StorageLocation? { nil }

    /// Stores a file with default options: renamed when the name is taken.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - name: Where to store it.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: As ``upload(_:to:options:)``.
    public func upload(_ body: UploadBody, to name: StorageName) async throws -> UploadedFile {
        try await upload(body, to: name, options: UploadOptions())
    }

    /// Opens a file, or a part of it.
    ///
    /// - Parameters:
    ///   - name: The file.
    ///   - range: The part to read. Default: the whole file.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: As ``open(_:options:)``.
    public func open(_ name: StorageName, range: ByteRange? = nil) async throws -> StoredContents {
        try await open(name, options: OpenOptions(range: range))
    }

    /// The size of a file in bytes; 0 when no file has the name.
    ///
    /// - Parameter name: The file.
    /// - Returns: The size in bytes. Use ``info(for:)`` to tell a missing file from an empty one.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func size(of name: StorageName) async throws -> Int64 {
        do {
            return try await info(for: name).byteCount
        } catch let error as StorageError where error.code == .notFound {
            return 0
        }
    }

    /// Returns whether a file with this name exists.
    ///
    /// The result may be outdated at once: to avoid overwriting use ``UploadOptions/ifExists``, not this.
    ///
    /// - Parameter name: The file.
    /// - Returns: Whether a file has the name.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func exists(_ name: StorageName) async throws -> Bool {
        do {
            _ = try await info(for: name)
            return true
        } catch let error as StorageError where error.code == .notFound {
            return false
        }
    }

    /// A URL or path under which the file can be fetched, with the storage's defaults.
    ///
    /// - Parameter name: The file.
    /// - Returns: The URL, percent-encoded.
    /// - Throws: As ``url(for:options:)``.
    public func url(for name: StorageName) async throws -> String {
        try await url(for: name, options: URLOptions())
    }

    /// Deletes one file; succeeds when no file has the name.
    ///
    /// - Parameter name: The file.
    /// - Throws: ``StorageError`` when it may still exist.
    public func delete(_ name: StorageName) async throws {
        for failure in try await delete([name]) {
            throw failure.error
        }
    }

    /// Copies a file within this storage with default options: renamed when the name is taken.
    ///
    /// - Parameters:
    ///   - source: The file to copy.
    ///   - destination: The name of the copy.
    /// - Returns: The final name and size of the copy.
    /// - Throws: As ``copy(_:to:options:)``.
    public func copy(_ source: StorageName, to destination: StorageName) async throws -> UploadedFile {
        try await copy(source, to: destination, options: UploadOptions())
    }

    /// All files of the storage.
    ///
    /// - Returns: As ``list(prefix:)`` with an empty prefix.
    public func list() -> FileListing {
        list(prefix: "")
    }
}
