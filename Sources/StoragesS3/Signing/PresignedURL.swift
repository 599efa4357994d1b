import Foundation
import Storages

/// A URL that carries its signature: whoever has it may do what it says until it expires.
///
/// Its description leaves the query out, where the signature is.
struct PresignedURL: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var url: String
    var method: HTTPRequest.Method
    /// When it stops working: earlier than asked for when the credentials end before.
    var expiration: Date
    /// Whether the credentials end before the lifetime that was asked for.
    var isCutShort: Bool
    /// The fields that were signed, but for `Host`: whoever uses the URL sends them just so.
    var headers: HTTPHeaders

    var description: String {
        "PresignedURL(\(method.rawValue) \(url.prefix { $0 != "?" }), until \(AmazonDate(expiration).iso8601))"
    }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension PresignedURL {
    /// What a URL shall allow.
    struct Request: Sendable {
        /// GET, HEAD, PUT or DELETE.
        var method: HTTPRequest.Method
        /// Scheme and authority, as the signed `Host` says: `https://bucket.s3.amazonaws.com`, without a path.
        var origin: String
        /// As on the wire, see ``S3PathEncoding/path(key:bucket:)``.
        var path: String
        /// How long it works, 1 second to 7 days; a fraction of a second is cut off.
        var lifetime: Duration
        /// The window in which equal requests give equal URLs, for caches; they then work up to a window longer.
        ///
        /// `nil`: the URL changes with every second.
        var quantum: Duration?
        /// Fields the user of the URL must send, such as `Content-Type` or `x-amz-acl`.
        var headers = HTTPHeaders()
        /// Parameters such as `versionId`, `partNumber`, `uploadId`.
        var query: [(name: String, value: String)] = []
        /// What the answer to GET and HEAD shall say in the place of what is stored.
        var overrides = ResponseOverrides()
    }

    /// Fields of an answer to be overridden; signed with the URL.
    struct ResponseOverrides: Sendable {
        var contentDisposition: String?
        var contentType: String?
        var contentLanguage: String?
        var contentEncoding: String?
        var cacheControl: String?
        var expires: String?

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
}

/// How long a signature may work: 7 days, because services keep the key of a day no longer.
enum SignatureLifetime {
    static let seconds = 1...604_800

    /// - Throws: ``StorageError`` with code `invalidURL` outside 1 second to 7 days.
    static func seconds(of lifetime: Duration, for subject: String) throws -> Int {
        let whole = lifetime.components.seconds
        guard let seconds = Int(exactly: whole), self.seconds.contains(seconds),
            seconds < self.seconds.upperBound || lifetime.components.attoseconds == 0
        else {
            throw StorageError(
                .invalidURL,
                "The lifetime of \(subject) is \(whole) s, and S3 allows 1 second to 7 days (604800 s). Choose one in "
                    + "between."
            )
        }
        return seconds
    }
}
