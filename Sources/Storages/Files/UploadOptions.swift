public import NIOCore

/// The options for an upload.
public struct UploadOptions: Sendable {
    /// The way in which to proceed when the name is taken.
    ///
    /// Default: ``IfExists/rename``.
    public var ifExists: IfExists
    /// The media type to keep with the file.
    ///
    /// A storage without ``StorageCapabilities/storedMetadata`` derives the type from the name; it throws
    /// ``StorageError/Code/wrongType`` when of the type given and the one derived exactly one is active content, see
    /// ``ContentType/isActiveContent``, unless the name says that markup is a text.
    ///
    /// Default: none, then storages derive it from the name.
    public var contentType: ContentType?
    /// The `Content-Disposition` to serve the file with.
    ///
    /// Default: none.
    public var contentDisposition: String?
    /// The `Cache-Control` to serve the file with.
    ///
    /// Default: none.
    public var cacheControl: String?
    /// Further metadata; keys are ASCII and case does not count in S3.
    ///
    /// Default: empty.
    public var metadata: [String: String]
    /// The most bytes to take; one more aborts the upload with ``StorageError/Code/tooLarge``.
    ///
    /// Default: no limit.
    public var maxBytes: Int64?
    /// A Boolean value that indicates whether the SHA-256 of the bytes is computed and returned; leaving it out saves
    /// about a second of processor time for two gigabytes.
    ///
    /// Default: `true`.
    public var computesSHA256: Bool
    /// The closure that receives the number of bytes that are stored, after each part and once at the end.
    ///
    /// Default: none.
    public var progress: ProgressHandler?
    /// The closure that sees every chunk once, in order, before it is sent; throwing aborts the upload and leaves
    /// nothing.
    ///
    /// Default: none.
    public var tap: (@Sendable (ByteBuffer) throws -> Void)?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - ifExists: What to do when the name is taken. Default: ``IfExists/rename``.
    ///   - contentType: The media type to keep. Default: none.
    ///   - contentDisposition: The `Content-Disposition` to serve with. Default: none.
    ///   - cacheControl: The `Cache-Control` to serve with. Default: none.
    ///   - metadata: Further metadata. Default: empty.
    ///   - maxBytes: The most bytes to take. Default: no limit.
    ///   - computesSHA256: Whether the SHA-256 of the bytes is computed and returned. Default: `true`.
    ///   - progress: Told how many bytes are stored. Default: none.
    ///   - tap: Sees every chunk before it is sent. Default: none.
    public init(
        ifExists: IfExists = .rename,
        contentType: ContentType? = nil,
        contentDisposition: String? = nil,
        cacheControl: String? = nil,
        metadata: [String: String] = [:],
        maxBytes: Int64? = nil,
        computesSHA256: Bool = true,
        progress: ProgressHandler? = nil,
        tap: (@Sendable (ByteBuffer) throws -> Void)? = nil
    ) {
        self.ifExists = ifExists
        self.contentType = contentType
        self.contentDisposition = contentDisposition
        self.cacheControl = cacheControl
        self.metadata = metadata
        self.maxBytes = maxBytes
        self.computesSHA256 = computesSHA256
        self.progress = progress
        self.tap = tap
    }
}
