public import Foundation

/// The properties of a file that a storage knows without reading it.
public struct FileInfo: Hashable, Sendable {
    /// The name.
    public var name: StorageName
    /// The size in bytes.
    public var byteCount: Int64
    /// The media type, stored or derived from the name.
    public var contentType: ContentType?
    /// The entity tag of the version: it changes when the contents do, and is what ``OpenOptions/ifMatch`` takes.
    public var entityTag: String?
    /// The time at which the contents last changed.
    public var modified: Date?
    /// The `Content-Disposition` given at upload, from storages with ``StorageCapabilities/storedMetadata``.
    public var contentDisposition: String?
    /// The `Cache-Control` given at upload, from storages with ``StorageCapabilities/storedMetadata``.
    public var cacheControl: String?
    /// The coding of the stored bytes, such as `gzip`, from storages that keep it; ``StoredContents/decoded(by:)``
    /// undoes it.
    public var contentEncoding: String?
    /// The metadata given at upload; listings leave it empty.
    public var metadata: [String: String]
    /// The id of this version, from storages that keep old ones.
    public var versionID: String?
    /// A Boolean value that indicates whether the file comes from the lower storage of an ``OverlayStorage``, which
    /// reads it and never changes it.
    public var isInherited: Bool

    /// Creates a description of a file.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - byteCount: The size in bytes.
    ///   - contentType: The media type. Default: unknown.
    ///   - entityTag: The version's tag. Default: none.
    ///   - modified: When the contents last changed. Default: unknown.
    ///   - contentDisposition: The stored `Content-Disposition`. Default: none.
    ///   - cacheControl: The stored `Cache-Control`. Default: none.
    ///   - metadata: The stored metadata. Default: empty.
    ///   - versionID: The id of this version. Default: none.
    ///   - contentEncoding: The coding of the stored bytes. Default: none.
    ///   - isInherited: Whether it is the lower storage's of an overlay. Default: no.
    public init(
        name: StorageName,
        byteCount: Int64,
        contentType: ContentType? = nil,
        entityTag: String? = nil,
        modified: Date? = nil,
        contentDisposition: String? = nil,
        cacheControl: String? = nil,
        metadata: [String: String] = [:],
        versionID: String? = nil,
        contentEncoding: String? = nil,
        isInherited: Bool = false
    ) {
        self.name = name
        self.byteCount = byteCount
        self.contentType = contentType
        self.entityTag = entityTag
        self.modified = modified
        self.contentDisposition = contentDisposition
        self.cacheControl = cacheControl
        self.metadata = metadata
        self.versionID = versionID
        self.contentEncoding = contentEncoding
        self.isInherited = isInherited
    }
}
