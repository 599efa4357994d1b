import NIOCore

/// The answer to CopyObject and to UploadPartCopy.
struct CopyObjectResult: Hashable, Sendable {
    /// With its quotes; some servers leave it out.
    var entityTag: String?

    /// Takes any root but `Error`.
    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        // A server that copies an object onto itself may say nothing but that.
        entityTag = root.string("ETag")
        guard entityTag != nil || root.name == "CopyObjectResult" else {
            throw .unreadable("The answer \"\(root.name)\" has no usable ETag.")
        }
    }
}
