import Foundation
import NIOCore

/// The answer to CopyObject and to UploadPartCopy.
struct CopyObjectResult: Hashable, Sendable {
    /// With its quotes.
    var entityTag: String
    var lastModified: Date?

    /// Takes any root but `Error`.
    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        entityTag = try S3Document.required(root.string("ETag"), "ETag", in: root)
        lastModified = root.date("LastModified")
    }
}
