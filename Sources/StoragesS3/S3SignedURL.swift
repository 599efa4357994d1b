public import Foundation

/// A URL that carries its signature: whoever has it may do one thing with one file until it expires.
///
/// Its description, and what `dump` and a debugger's `po` show of it, leave the query out, where the signature is.
public struct S3SignedURL: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// What may be done.
    public enum Method: String, Hashable, Sendable, CaseIterable {
        /// Read the file.
        case get = "GET"
        /// Read what is known about the file.
        case head = "HEAD"
        /// Delete the file.
        case delete = "DELETE"
    }

    /// Where the request goes, percent-encoded; to be used as it is.
    public let url: String
    /// The method of the request.
    public let method: Method
    /// When the URL stops working: earlier than asked for when the credentials that signed it end before.
    public let expiration: Date

    /// Method, URL without its query, and the end.
    public var description: String {
        "S3SignedURL(\(method.rawValue) \(url.prefix { $0 != "?" }), until \(AmazonDate(expiration).iso8601))"
    }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the signature.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
