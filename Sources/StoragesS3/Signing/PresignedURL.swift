import Foundation
import Storages
import StoragesHTTP

/// A URL that carries its signature, and allows its request to every client until it expires.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>
///
/// Its description leaves the query out, where the signature is.
struct PresignedURL: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var url: String
    var method: HTTPRequest.Method
    /// The date at which the URL expires: earlier than asked for when the credentials end before.
    var expiration: Date
    /// A Boolean value that indicates whether the credentials end before the lifetime that was asked for.
    var isCutShort: Bool
    /// The headers that were signed, except `Host`; the client has to send them unchanged.
    var headers: HTTPHeaders

    var description: String {
        "PresignedURL(\(method.rawValue) \(url.prefix { $0 != "?" }), until \(AmazonDate(expiration).iso8601))"
    }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}

extension PresignedURL {
    /// The request that a URL allows.
    struct Request: Sendable {
        /// The method: GET, HEAD, PUT or DELETE.
        var method: HTTPRequest.Method
        /// The scheme and authority, as in the signed `Host`: `https://bucket.s3.amazonaws.com`, without a path.
        var origin: String
        /// The path as it is sent, see ``Addressing/path(forKey:)``.
        var path: String
        /// The lifetime of the URL, 1 second to 7 days; a fraction of a second is cut off.
        var lifetime: Duration
        /// The window in which equal requests give equal URLs, for caches; they then work up to a window longer.
        ///
        /// `nil`: the URL changes with every second.
        var quantum: Duration?
        /// The headers that the user of the URL must send, such as `Content-Type` or `x-amz-acl`.
        var headers = HTTPHeaders()
        /// The parameters of the query, such as `versionId`, `partNumber`, `uploadId`.
        var query: [(name: String, value: String)] = []
        /// The headers of the response to GET and HEAD in the place of those that are stored.
        var overrides = S3ResponseOverrides()
    }
}

/// The lifetime that a signature may have: up to 7 days, because services keep the key of a day no longer.
enum SignatureLifetime {
    static let seconds = 1...604_800

    /// Returns the seconds of a lifetime.
    ///
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

    /// Returns the lifetime of a signature that is made at the beginning of a window, for one that is asked for at its
    /// end.
    ///
    /// - Throws: ``StorageError`` with code `invalidURL` beyond 7 days.
    static func seconds(of lifetime: Int, inWindowOf window: Int) throws -> Int {
        guard lifetime + window <= seconds.upperBound else {
            throw StorageError(
                .invalidURL,
                "A URL that works for \(lifetime) s and is the same for \(window) s would have to be signed for both "
                    + "together, and S3 allows 7 days (604800 s). Choose less of one of them."
            )
        }
        return lifetime + window
    }
}
