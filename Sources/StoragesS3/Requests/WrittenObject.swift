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
