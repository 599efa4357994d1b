import NIOCore
import Storages

/// The answer to GetBucketLocation.
enum BucketLocation {
    /// The region that a bucket is in; the oldest one has no name there, and one has an old name.
    static func region(_ body: ByteBuffer) throws -> Region {
        let root = try S3Document.root(of: body, named: ["LocationConstraint", "GetBucketLocationOutput"])
        let name = root.trimmedText ?? root.string("LocationConstraint") ?? "us-east-1"
        return try Region(name == "EU" ? "eu-west-1" : name, from: "the bucket's location")
    }
}
