import NIOCore
import Storages
import StoragesHTTP

/// An object as the response to a write describes it.
struct WrittenObject: Hashable, Sendable {
    var entityTag: String?
    /// The id of the version, in a bucket that keeps versions.
    var versionID: String?

    init(entityTag: String?, versionID: String?) {
        self.entityTag = entityTag.map(EntityTag.quoted)
        self.versionID = versionID
    }

    init(_ headers: HTTPHeaders) {
        self.init(entityTag: headers["ETag"], versionID: headers["x-amz-version-id"])
    }

    /// Returns the result of the upload of the object.
    func file(named name: StorageName, byteCount: Int64, sha256: [UInt8]? = nil) -> UploadedFile {
        UploadedFile(name: name, byteCount: byteCount, entityTag: entityTag, sha256: sha256, versionID: versionID)
    }
}

extension WrittenObject {
    /// Reads the response to CopyObject, whose entity tag may be missing.
    init(copied response: BufferedResponse) throws(UnusableDocument) {
        self.init(
            entityTag: try CopyObjectResult(response.body).entityTag,
            versionID: response.headers["x-amz-version-id"]
        )
    }

    /// Reads the response to CompleteMultipartUpload.
    init(completed response: BufferedResponse) throws(UnusableDocument) {
        self.init(
            entityTag: try CompleteMultipartUploadResult(response.body).entityTag,
            versionID: response.headers["x-amz-version-id"]
        )
    }
}

extension BufferedResponse {
    /// Refuses a successful response whose body is none of S3: a page, or an error document.
    ///
    /// For requests whose response has no document, which is no reason to believe any response.
    func requireDone() throws(UnusableDocument) {
        guard !ResponseOrigin.isBlank(body) else { return }
        let root = try S3Document.root(of: body)
        guard root.name.lowercased() != "html" else {
            throw .unreadable(
                "The response is a page, not one of S3. What stands between this machine and the server?"
            )
        }
    }

    /// Returns the object that a response to PutObject or UploadPart describes.
    func written() throws(UnusableDocument) -> WrittenObject {
        try requireDone()
        guard let tag = headers["ETag"], !tag.isEmpty else {
            throw .unreadable("The response has no entity tag, so it does not say that anything is stored.")
        }
        return WrittenObject(headers)
    }
}
