import NIOCore

/// The answer to CompleteMultipartUpload.
struct CompleteMultipartUploadResult: Hashable, Sendable {
    /// With its quotes.
    var entityTag: String

    /// Takes any root but `Error`, because servers do not agree on its name.
    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        entityTag = try S3Document.required(root.string("ETag"), "ETag", in: root)
    }
}
