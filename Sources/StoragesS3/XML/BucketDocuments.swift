import NIOCore

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
    /// A Boolean value that indicates whether new objects are locked although nobody asks for that.
    let locksAllObjects: Bool

    init(_ body: ByteBuffer) {
        let root = try? S3Document.root(of: body, named: ["ObjectLockConfiguration"])
        locksAllObjects = root?.first("Rule")?.first("DefaultRetention") != nil
    }
}
