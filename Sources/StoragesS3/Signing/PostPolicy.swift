import Foundation
import Storages

/// What a browser may upload with a form, without passing through this process.
///
/// Unlike a presigned PUT it bounds the size, so it is the way to let strangers upload.
struct PostPolicy: Sendable {
    /// Where the file goes.
    enum Key: Hashable, Sendable {
        /// To this key.
        case exact(String)
        /// To the prefix with the name of the file behind it, which the browser fills in.
        case prefix(String)
    }

    /// Which types of content are taken.
    enum ContentType: Hashable, Sendable {
        /// This one, which is a field of the form.
        case exact(String)
        /// Those that begin so, such as `image/`; the page adds a field `Content-Type` before the file.
        case prefix(String)
    }

    var bucket: String
    var key: Key
    /// How long the form works, 1 second to 7 days; a fraction of a second is cut off.
    var lifetime: Duration
    /// How many bytes the file may have; `nil` leaves it to the service, which takes up to 5 GiB.
    var contentLength: ClosedRange<Int>?
    /// A canned ACL, such as `private`.
    var acl: String?
    var contentType: ContentType?
    /// Fields `x-amz-meta-…`, see ``UserMetadata``.
    var metadata = HTTPHeaders()
    /// The status of success: 200, 201 (with XML that tells the key) or 204; `nil` leaves it at 204.
    var successStatus: Int?
    /// Further fields with their only value, such as `Cache-Control` or `x-amz-server-side-encryption`.
    var fields = HTTPHeaders()

    /// Makes a policy.
    ///
    /// - Parameters:
    ///   - bucket: The bucket.
    ///   - key: Where the file goes.
    ///   - lifetime: How long the form works, 1 second to 7 days.
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
    /// To be sent in this order, and before the file, which is the last field and called `file`.
    var fields: [(name: String, value: String)]
    /// When it stops working: earlier than asked for when the credentials end before.
    var expiration: Date
    /// Whether the credentials end before the lifetime that was asked for.
    var isCutShort: Bool

    var description: String {
        "PostForm(\(fields.map(\.name).joined(separator: ", ")); until \(AmazonDate(expiration).iso8601))"
    }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
