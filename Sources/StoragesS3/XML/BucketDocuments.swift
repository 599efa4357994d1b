import NIOCore

/// The answer to GetBucketVersioning.
struct VersioningConfiguration: Hashable, Sendable {
    /// What it says; ``BucketVersioning/unknown`` for another document, such as the listing of a server that does not
    /// know the question.
    let versioning: BucketVersioning

    init(_ body: ByteBuffer) {
        guard let root = try? S3Document.root(of: body, named: ["VersioningConfiguration"]) else {
            versioning = .unknown
            return
        }
        // A bucket that kept versions once has some still, and is written as no other is.
        versioning = root.string("Status") == nil ? .never : .enabled
    }
}

/// The answer to GetObjectLockConfiguration.
struct ObjectLockConfiguration: Hashable, Sendable {
    /// Whether new objects are locked although nobody asks for that.
    let locksAllObjects: Bool

    init(_ body: ByteBuffer) {
        let root = try? S3Document.root(of: body, named: ["ObjectLockConfiguration"])
        locksAllObjects = root?.first("Rule")?.first("DefaultRetention") != nil
    }
}
