public import Foundation
import StoragesHTTP

/// A URL to which a client uploads one file, without passing through this process.
///
/// Every client that has the URL may use it until it expires, more than once. Its description, and what `dump` and a
/// debugger's `po` show of it, leave the query out, where the signature is.
///
/// ```swift
/// let upload = try await media.directUpload(to: name)
/// // curl --upload-file cat.jpg --header 'Content-Type: image/jpeg' "$url"
/// ```
public struct DirectUpload: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The URL, percent-encoded; to be used as it is.
    public let url: String
    /// The method of the request: `PUT`.
    public let method: String
    /// The headers that the client must send with just these values; with others the server refuses the upload.
    ///
    /// `Content-Length` is not among them, although it may be signed: every client sends it by itself.
    public let headers: [String: String]
    /// The date at which the URL expires: earlier than asked for when the credentials that signed it end before.
    public let expiration: Date

    init(_ signed: PresignedURL) {
        url = signed.url
        method = signed.method.rawValue
        headers = Dictionary(
            signed.headers.fields.filter { !HTTPHeaders.areEqual($0.name, "Content-Length") }.map {
                ($0.name, $0.value)
            },
            uniquingKeysWith: { first, _ in first }
        )
        expiration = signed.expiration
    }

    /// The method, the URL without its query, and the date at which it expires.
    public var description: String {
        "DirectUpload(\(method) \(url.prefix { $0 != "?" }), until \(AmazonDate(expiration).iso8601))"
    }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the signature.
    public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
