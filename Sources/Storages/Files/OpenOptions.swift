/// The options for opening a file for reading.
public struct OpenOptions: Sendable {
    /// The part to read.
    ///
    /// Default: the whole file.
    public var range: ByteRange?
    /// The entity tag of the only version to open, as ``FileInfo/entityTag`` gave it.
    ///
    /// Default: any version.
    public var ifMatch: String?
    /// The closure that receives the progress after each chunk.
    ///
    /// Default: none.
    public var progress: ProgressHandler?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - range: The part to read. Default: the whole file.
    ///   - ifMatch: The entity tag the file must have. Default: any.
    ///   - progress: Told after each chunk. Default: none.
    public init(range: ByteRange? = nil, ifMatch: String? = nil, progress: ProgressHandler? = nil) {
        self.range = range
        self.ifMatch = ifMatch
        self.progress = progress
    }
}

extension OpenOptions {
    /// Refuses a file that has another entity tag than ``ifMatch`` asks for.
    ///
    /// - Parameters:
    ///   - entityTag: The entity tag of the file; `nil` where the storage does not know it, which matches.
    ///   - name: The file.
    ///   - storage: The label of the storage.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/preconditionFailed``.
    package func requireMatch(
        _ entityTag: String?,
        of name: StorageName,
        in storage: String
    ) throws(StorageError) {
        guard let ifMatch, let entityTag, entityTag != ifMatch else { return }
        throw StorageError(
            .preconditionFailed,
            "The file has another version than \(StorageError.quoted(ifMatch)). Read its info again.",
            name: name,
            storage: storage
        )
    }
}
