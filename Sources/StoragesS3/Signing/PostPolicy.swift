import Foundation
import Storages
import StoragesHTTP

/// The policy of an upload by a browser's form, which does not pass through this process.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>
///
/// Unlike a presigned PUT it bounds the size, so it is the way to let strangers upload.
struct PostPolicy: Sendable {
    /// The key of the file.
    enum Key: Hashable, Sendable {
        /// A fixed key.
        case exact(String)
        /// A prefix with the name of the file behind it, which the browser fills in.
        case prefix(String)
    }

    /// The types of content that are accepted.
    enum ContentType: Hashable, Sendable {
        /// A single type, which is a field of the form.
        case exact(String)
        /// The types that begin so, such as `image/`; the page adds a field `Content-Type` before the file.
        case prefix(String)
    }

    var bucket: String
    var key: Key
    /// The lifetime of the form, 1 second to 7 days; a fraction of a second is cut off.
    var lifetime: Duration
    /// The number of bytes that the file may have; `nil` leaves it to the service, which takes up to 5 GiB.
    var contentLength: ClosedRange<Int>?
    /// A canned ACL, such as `private`.
    var acl: String?
    var contentType: ContentType?
    /// The headers `x-amz-meta-…`, see ``UserMetadata``.
    var metadata = HTTPHeaders()
    /// The status code of success: 200, 201 (with XML that names the key) or 204; `nil` leaves it at 204.
    var successStatus: Int?
    /// Further fields with their only value, such as `Cache-Control` or `x-amz-server-side-encryption`.
    var fields = HTTPHeaders()

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - bucket: The bucket.
    ///   - key: The key of the file.
    ///   - lifetime: The lifetime of the form, 1 second to 7 days.
    init(bucket: String, key: Key, lifetime: Duration) {
        self.bucket = bucket
        self.key = key
        self.lifetime = lifetime
    }
}

/// The fields of a form for the upload of one file, to be sent as `multipart/form-data`.
///
/// Its description leaves the values out: with them anybody may upload.
struct PostForm: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The fields, to be sent in this order, and before the file, which is the last field and called `file`.
    var fields: [(name: String, value: String)]
    /// The date at which the form expires: earlier than asked for when the credentials end before.
    var expiration: Date
    /// A Boolean value that indicates whether the credentials end before the lifetime that was asked for.
    var isCutShort: Bool

    var description: String {
        "PostForm(\(fields.map(\.name).joined(separator: ", ")); until \(AmazonDate(expiration).iso8601))"
    }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
