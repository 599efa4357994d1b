/// The headers of the response to a signed URL in the place of those that are stored; signed with the URL.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
public struct S3ResponseOverrides: Hashable, Sendable {
    /// The `Content-Disposition`, see ``ContentDisposition``.
    ///
    /// Default: as stored.
    public var contentDisposition: String?
    /// The `Content-Type`, parameters included.
    ///
    /// Default: as stored.
    public var contentType: String?
    /// The `Content-Language`.
    ///
    /// Default: as stored.
    public var contentLanguage: String?
    /// The `Content-Encoding`.
    ///
    /// Default: as stored.
    public var contentEncoding: String?
    /// The `Cache-Control`.
    ///
    /// Default: as stored.
    public var cacheControl: String?
    /// The `Expires`, as HTTP writes dates.
    ///
    /// Default: as stored.
    public var expires: String?

    /// Creates overrides that change nothing.
    public init() {}

    var query: [(name: String, value: String)] {
        let values = [
            ("response-cache-control", cacheControl),
            ("response-content-disposition", contentDisposition),
            ("response-content-encoding", contentEncoding),
            ("response-content-language", contentLanguage),
            ("response-content-type", contentType),
            ("response-expires", expires),
        ]
        return values.compactMap { name, value in value.map { (name, $0) } }
    }
}
