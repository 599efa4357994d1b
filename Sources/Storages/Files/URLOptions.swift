/// The options for a URL of a file.
public struct URLOptions: Hashable, Sendable {
    /// The time for which the URL works.
    ///
    /// Default: the storage's own default, which may be "for ever".
    ///
    /// Asking for a lifetime from a storage without ``StorageCapabilities/temporaryURL`` throws
    /// ``StorageError/Code/unsupported``.
    public var lifetime: Duration?
    /// The `Content-Disposition` of the response.
    ///
    /// Default: as stored.
    public var contentDisposition: String?
    /// The `Content-Type` of the response.
    ///
    /// Default: as stored.
    public var contentType: ContentType?
    /// Signed URLs for equal requests within this window are equal, so that caches hit.
    ///
    /// Default: no rounding.
    public var quantum: Duration?

    /// Creates options.
    ///
    /// - Parameters:
    ///   - lifetime: How long the URL shall work. Default: the storage's own.
    ///   - contentDisposition: The `Content-Disposition` of the response. Default: as stored.
    ///   - contentType: The `Content-Type` of the response. Default: as stored.
    ///   - quantum: The window in which equal requests give equal URLs. Default: none.
    public init(
        lifetime: Duration? = nil,
        contentDisposition: String? = nil,
        contentType: ContentType? = nil,
        quantum: Duration? = nil
    ) {
        self.lifetime = lifetime
        self.contentDisposition = contentDisposition
        self.contentType = contentType
        self.quantum = quantum
    }
}
