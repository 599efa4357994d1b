/// The description of a file that a storage has just stored.
public struct UploadedFile: Hashable, Sendable {
    /// The final name; differs from the one asked for when ``IfExists/rename`` had to add a suffix.
    public var name: StorageName
    /// The size in bytes, of the contents as they were given: a storage that compresses them keeps fewer.
    public var byteCount: Int64
    /// The version's tag as ``OpenOptions/ifMatch`` takes it, when the storage has tags.
    public var entityTag: String?
    /// The 32 bytes of the SHA-256 of the contents as they were given; `nil` when it was not wanted, and when the bytes
    /// did not pass through this process.
    public var sha256: [UInt8]?
    /// The id of this version, from storages that keep old ones.
    public var versionID: String?

    /// Creates a report.
    ///
    /// - Parameters:
    ///   - name: The final name.
    ///   - byteCount: The size in bytes.
    ///   - entityTag: The version's tag. Default: none.
    ///   - sha256: The 32 bytes of the SHA-256. Default: unknown.
    ///   - versionID: The id of this version. Default: none.
    public init(
        name: StorageName,
        byteCount: Int64,
        entityTag: String? = nil,
        sha256: [UInt8]? = nil,
        versionID: String? = nil
    ) {
        self.name = name
        self.byteCount = byteCount
        self.entityTag = entityTag
        self.sha256 = sha256
        self.versionID = versionID
    }

    /// ``sha256`` as 64 lower-case hexadecimal digits.
    public var sha256Hex: String? { sha256?.hexadecimal }
}
