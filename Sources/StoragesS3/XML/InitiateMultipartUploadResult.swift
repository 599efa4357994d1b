import NIOCore

/// The response to CreateMultipartUpload.
struct InitiateMultipartUploadResult: Hashable, Sendable {
    var uploadID: String

    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        uploadID = try S3Document.required(root.string("UploadId"), "UploadId", in: root)
    }
}
