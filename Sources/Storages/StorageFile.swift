/// A file's name bound to its storage.
///
/// Making one does no I/O and says nothing about whether the file exists.
///
/// Two files are equal when their names have the same bytes and their storages the same location,
/// see ``StorageLocation``.
public struct StorageFile: Hashable, Sendable, CustomStringConvertible {
    /// The name.
    public let name: StorageName
    /// The storage.
    public let storage: any Storage
    /// The reservation of a file that was just stored for a field; files that come from rows have none.
    package let receipt: StorageReceipt?

    /// Binds a name to a storage.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - storage: The storage.
    public init(name: StorageName, in storage: any Storage) {
        self.init(name: name, in: storage, receipt: nil)
    }

    /// Binds a name to a storage, with what is known about its reservation.
    package init(name: StorageName, in storage: any Storage, receipt: StorageReceipt?) {
        self.name = name
        self.storage = storage
        self.receipt = receipt
    }

    /// Binds a name that must be valid already to a storage.
    ///
    /// - Parameters:
    ///   - name: The name, as a storage or a column gave it.
    ///   - storage: The storage.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName``.
    public init(name: String, in storage: any Storage) throws {
        self.init(name: try StorageName(validating: name), in: storage)
    }

    /// The size in bytes; 0 when the file does not exist.
    ///
    /// - Returns: The size in bytes.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func size() async throws -> Int64 {
        try await storage.size(of: name)
    }

    /// Opens the file, or a part of it.
    ///
    /// - Parameter range: The part to read. Default: the whole file.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: As ``Storage/open(_:options:)``.
    public func open(range: ByteRange? = nil) async throws -> StoredContents {
        try await storage.open(name, range: range)
    }

    /// Opens the file with options.
    ///
    /// - Parameter options: A range, a version, progress.
    /// - Returns: The contents of one version, to be read once.
    /// - Throws: As ``Storage/open(_:options:)``.
    public func open(options: OpenOptions) async throws -> StoredContents {
        try await storage.open(name, options: options)
    }

    /// Stores bytes under this name.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - options: Default: renamed when the name is taken, so look at the name returned.
    /// - Returns: The final name, the size, the tag and the SHA-256.
    /// - Throws: As ``Storage/upload(_:to:options:)``.
    public func upload(_ body: UploadBody, options: UploadOptions = UploadOptions()) async throws -> UploadedFile {
        try await storage.upload(body, to: name, options: options)
    }

    /// Deletes the file; succeeds when it does not exist.
    ///
    /// - Throws: ``StorageError`` when it may still exist.
    public func delete() async throws {
        try await storage.delete(name)
    }

    /// A URL or path under which the file can be fetched, percent-encoded.
    ///
    /// - Parameter options: Lifetime and overrides of the response's headers. Default: the storage's own.
    /// - Returns: The URL.
    /// - Throws: As ``Storage/url(for:options:)``.
    public func url(options: URLOptions = URLOptions()) async throws -> String {
        try await storage.url(for: name, options: options)
    }

    /// Returns what the storage knows about the file: its size, media type, entity tag and date.
    ///
    /// - Returns: Size, type, tag, date.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/notFound`` when it does not exist.
    public func info() async throws -> FileInfo {
        try await storage.info(for: name)
    }

    /// Returns whether the file exists.
    ///
    /// - Returns: Whether it exists; the result may be outdated at once.
    /// - Throws: ``StorageError`` when the storage cannot tell.
    public func exists() async throws -> Bool {
        try await storage.exists(name)
    }

    /// Copies the file within its storage.
    ///
    /// - Parameters:
    ///   - destination: The name of the copy.
    ///   - options: Default: renamed when the name is taken.
    /// - Returns: The copy, under its final name.
    /// - Throws: As ``Storage/copy(_:to:options:)``.
    public func copy(
        to destination: StorageName,
        options: UploadOptions = UploadOptions()
    ) async throws -> StorageFile {
        StorageFile(name: try await storage.copy(name, to: destination, options: options).name, in: storage)
    }

    /// The name.
    public var description: String { name.string }

    /// Returns whether two files have the same name in storages of one location.
    public static func == (left: StorageFile, right: StorageFile) -> Bool {
        left.name == right.name && StorageIdentity(left.storage) == StorageIdentity(right.storage)
    }

    /// Feeds the name into a hasher; locations differ seldom and are compared only.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(name)
    }
}
