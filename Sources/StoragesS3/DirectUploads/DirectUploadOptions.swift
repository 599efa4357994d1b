public import Storages

/// The options of an upload that a client makes straight to the bucket.
///
/// The parameters that the storage keeps with every object (``S3Options/objectParameters``) go with it, and the client
/// is held to them.
public struct DirectUploadOptions: Sendable {
    /// The time in which the upload may begin: 1 second to 7 days.
    ///
    /// Default: the storage's ``S3Options/urlLifetime``, one hour.
    public var lifetime: Duration?
    /// The media type that the client has to declare; only a verification shows whether the bytes are of it.
    ///
    /// Default: derived from the name, else `application/octet-stream`.
    public var contentType: ContentType?
    /// The `Content-Disposition` to serve the file with.
    ///
    /// Default: none.
    public var contentDisposition: String?
    /// The `Cache-Control` to serve the file with.
    ///
    /// Default: none.
    public var cacheControl: String?
    /// Further metadata, over that of the storage.
    ///
    /// Default: empty.
    public var metadata: [String: String]
    /// A Boolean value that indicates whether the server refuses the upload when a file has the name already; for URLs
    /// only, since forms cannot express it.
    ///
    /// Default: `false`: a file that exists is replaced.
    public var requiresAbsence: Bool

    /// Creates options.
    ///
    /// - Parameters:
    ///   - lifetime: The time in which the upload may begin. Default: the storage's own.
    ///   - contentType: The media type to declare. Default: derived from the name.
    ///   - contentDisposition: The `Content-Disposition` to serve with. Default: none.
    ///   - cacheControl: The `Cache-Control` to serve with. Default: none.
    ///   - metadata: Further metadata. Default: empty.
    ///   - requiresAbsence: Whether a file that exists stays. Default: `false`.
    public init(
        lifetime: Duration? = nil,
        contentType: ContentType? = nil,
        contentDisposition: String? = nil,
        cacheControl: String? = nil,
        metadata: [String: String] = [:],
        requiresAbsence: Bool = false
    ) {
        self.lifetime = lifetime
        self.contentType = contentType
        self.contentDisposition = contentDisposition
        self.cacheControl = cacheControl
        self.metadata = metadata
        self.requiresAbsence = requiresAbsence
    }

    /// The same options for an upload that passes through this process.
    var upload: UploadOptions {
        UploadOptions(
            contentType: contentType,
            contentDisposition: contentDisposition,
            cacheControl: cacheControl,
            metadata: metadata
        )
    }
}
