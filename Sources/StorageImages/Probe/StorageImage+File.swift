public import Storages

/// The properties and functions that an image has because it is a file.
extension StorageImage {
    /// The name.
    public var name: StorageName { file.name }

    /// The storage.
    public var storage: any Storage { file.storage }

    /// The size in bytes; 0 when the file does not exist.
    ///
    /// - Returns: The size in bytes.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func size() async throws -> Int64 {
        try await file.size()
    }

    /// Opens the file, or a part of it.
    ///
    /// - Parameter range: The part to read. Default: the whole file.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: As ``Storage/open(_:options:)``.
    public func open(range: ByteRange? = nil) async throws -> StoredContents {
        try await file.open(range: range)
    }

    /// Opens the file with options.
    ///
    /// - Parameter options: A range, a version, progress.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: As ``Storage/open(_:options:)``.
    public func open(options: OpenOptions) async throws -> StoredContents {
        try await file.open(options: options)
    }

    /// Stores bytes under this name, without looking whether they are an image.
    ///
    /// This value keeps the size that it knows. After `.replace` make a new image for the new bytes.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - options: Default: renamed when the name is taken, so look at the name returned.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: As ``Storage/upload(_:to:options:)``.
    public func upload(_ body: UploadBody, options: UploadOptions = UploadOptions()) async throws -> UploadedFile {
        try await file.upload(body, options: options)
    }

    /// Deletes the file; succeeds when it does not exist.
    ///
    /// - Throws: ``StorageError`` when it may still exist.
    public func delete() async throws {
        try await file.delete()
    }

    /// A URL or path under which the file can be fetched, percent-encoded.
    ///
    /// - Parameter options: Lifetime and overrides of the response's headers. Default: the storage's own.
    /// - Returns: The URL.
    /// - Throws: As ``Storage/url(for:options:)``.
    public func url(options: URLOptions = URLOptions()) async throws -> String {
        try await file.url(options: options)
    }

    /// Returns what the storage knows about the file: its size, media type, entity tag and date.
    ///
    /// - Returns: Size, type, tag, date.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when it does not exist.
    public func info() async throws -> FileInfo {
        try await file.info()
    }

    /// Returns whether the file exists.
    ///
    /// - Returns: Whether it exists; the result may be outdated at once.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func exists() async throws -> Bool {
        try await file.exists()
    }
}
