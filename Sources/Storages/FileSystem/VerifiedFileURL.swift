public import Foundation

/// What a signed URL of a ``FileSystemStorage`` allows, after its signature and expiry were checked.
public struct VerifiedFileURL: Hashable, Sendable {
    /// The file that may be fetched.
    public var name: StorageName
    /// When the URL stops working; the answer should not be cached for longer.
    public var expires: Date
    /// The `Content-Disposition` the answer shall have. `nil`: no wish.
    public var contentDisposition: String?
    /// The `Content-Type` the answer shall have. `nil`: the file's own.
    public var contentType: ContentType?
}
