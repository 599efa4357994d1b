import NIOCore

/// The body of CreateBucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
enum CreateBucketBody {
    /// Writes the body for a bucket in a region.
    static func make(region: String) -> ByteBuffer {
        var writer = XMLWriter(root: "CreateBucketConfiguration")
        writer.element("LocationConstraint", text: region)
        writer.end("CreateBucketConfiguration")
        return writer.buffer
    }
}

/// The versioning of a bucket: whether it keeps the versions of its objects, as locked ones always do.
enum BucketVersioning: Hashable, Sendable {
    /// A bucket that never kept versions.
    case never
    /// A bucket that keeps versions, or did once.
    case enabled
    /// A bucket whose server does not say.
    case unknown
}

/// The response to GetBucketVersioning.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
struct VersioningConfiguration: Hashable, Sendable {
    /// The versioning in the document; ``BucketVersioning/unknown`` for another document, such as the listing of a
    /// server that does not know the request.
    let versioning: BucketVersioning

    init(_ body: ByteBuffer) {
        guard let root = try? S3Document.root(of: body, named: ["VersioningConfiguration"]) else {
            versioning = .unknown
            return
        }
        // A bucket that once kept versions still has some, and is written to differently from all others.
        versioning = root.string("Status") == nil ? .never : .enabled
    }
}

/// The response to GetObjectLockConfiguration.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
struct ObjectLockConfiguration: Hashable, Sendable {
    /// A Boolean value that indicates whether new objects are locked by default.
    let locksAllObjects: Bool

    init(_ body: ByteBuffer) {
        let root = try? S3Document.root(of: body, named: ["ObjectLockConfiguration"])
        locksAllObjects = root?.first("Rule")?.first("DefaultRetention") != nil
    }
}
