public import Foundation

/// A presigned URL, which allows one method on one file to every client until it expires.
///
/// Its description, and what `dump` and a debugger's `po` show of it, leave the query out, where the signature is.
public struct S3SignedURL: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The methods that a signed URL can allow.
    public enum Method: String, Hashable, Sendable, CaseIterable {
        /// A request that reads the file.
        case get = "GET"
        /// A request that reads what is known about the file.
        case head = "HEAD"
        /// A request that deletes the file.
        case delete = "DELETE"
    }

    /// The URL, percent-encoded; to be used as it is.
    public let url: String
    /// The method of the request.
    public let method: Method
    /// The date at which the URL expires: earlier than asked for when the credentials that signed it end before.
    public let expiration: Date

    /// The method, the URL without its query, and the date at which it expires.
    public var description: String {
        "S3SignedURL(\(method.rawValue) \(url.prefix { $0 != "?" }), until \(AmazonDate(expiration).iso8601))"
    }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the signature.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
