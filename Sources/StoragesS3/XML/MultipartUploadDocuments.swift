import NIOCore

/// The response to CreateMultipartUpload.
struct InitiateMultipartUploadResult: Hashable, Sendable {
    var uploadID: String

    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body)
        uploadID = try S3Document.required(root.string("UploadId"), "UploadId", in: root)
    }
}

/// A part that the server has accepted.
struct CompletedPart: Hashable, Sendable {
    var number: Int
    /// The entity tag as the server gave it, quotes included.
    var entityTag: String
    /// The checksum that was sent with the part.
    var checksum: ChecksumValue?
}

extension CompletedPart {
    /// Creates the description of a part from the entity tag in the response to it.
    ///
    /// The tag stays as it came: a server that leaves out the quotes may not accept them, either.
    ///
    /// - Parameters:
    ///   - number: The number of the part.
    ///   - entityTag: The entity tag in the response; a part without one cannot be named when the upload is completed.
    ///   - checksum: The checksum that was sent with the part.
    init(number: Int, responseTag entityTag: String?, checksum: ChecksumValue? = nil) throws(UnusableDocument) {
        guard let entityTag else { throw .unreadable("the response to a part has no entity tag") }
        self.init(number: number, entityTag: entityTag, checksum: checksum)
    }
}

/// The body of CompleteMultipartUpload.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
enum CompleteMultipartUploadBody {
    /// Writes the body; the parts come in the order of their numbers, whatever order they have been uploaded in.
    static func make(for parts: [CompletedPart]) -> ByteBuffer {
        var writer = XMLWriter(root: "CompleteMultipartUpload", capacity: 160 + parts.count * 128)
        for part in parts.sorted(by: { $0.number < $1.number }) {
            writer.begin("Part")
            if let checksum = part.checksum, let name = checksum.algorithm.elementName {
                writer.element(name, text: checksum.base64)
            }
            writer.element("ETag", text: part.entityTag)
            writer.element("PartNumber", text: String(part.number))
            writer.end("Part")
        }
        writer.end("CompleteMultipartUpload")
        return writer.buffer
    }
}

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
