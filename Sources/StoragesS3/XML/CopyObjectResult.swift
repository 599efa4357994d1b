import NIOCore

/// The response to CopyObject and to UploadPartCopy.
struct CopyObjectResult: Hashable, Sendable {
    /// The entity tag with its quotes; some servers leave it out.
    var entityTag: String?

    /// Reads a document with any root but `Error`.
    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        // A server that copies an object onto itself may send an empty CopyObjectResult.
        entityTag = root.string("ETag")
        guard entityTag != nil || root.name == "CopyObjectResult" else {
            throw .unreadable("The response \"\(root.name)\" has no usable ETag.")
        }
    }
}
