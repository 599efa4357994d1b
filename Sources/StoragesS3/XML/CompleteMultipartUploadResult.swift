import NIOCore

/// The response to CompleteMultipartUpload.
struct CompleteMultipartUploadResult: Hashable, Sendable {
    /// The entity tag with its quotes.
    var entityTag: String

    /// Reads a document with any root but `Error`, because servers do not agree on its name.
    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        entityTag = try S3Document.required(root.string("ETag"), "ETag", in: root)
    }
}
