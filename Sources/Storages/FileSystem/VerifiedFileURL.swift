public import Foundation

/// The file that a signed URL of a ``FileSystemStorage`` gives access to, and the headers to send, after its signature
/// and expiry were checked.
public struct VerifiedFileURL: Hashable, Sendable {
    /// The file that may be fetched.
    public var name: StorageName
    /// The time at which the URL expires; the response should not be cached for longer.
    public var expires: Date
    /// The `Content-Disposition` of the response, if the URL names one.
    public var contentDisposition: String?
    /// The `Content-Type` of the response, if the URL names one; otherwise use the file's own.
    public var contentType: ContentType?
}
