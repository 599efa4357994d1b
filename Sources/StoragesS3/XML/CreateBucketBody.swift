import NIOCore

/// The body of CreateBucket.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
enum CreateBucketBody {
    /// Writes the body for a bucket in a region.
    static func make(region: String) -> ByteBuffer {
        var writer = XMLWriter(root: "CreateBucketConfiguration")
        writer.element("LocationConstraint", region)
        writer.end("CreateBucketConfiguration")
        return writer.buffer
    }
}
