import Storages

/// What the answer to a write says of the object.
struct WrittenObject: Hashable, Sendable {
    var entityTag: String?
    /// In a bucket that keeps versions.
    var versionID: String?

    init(entityTag: String?, versionID: String?) {
        self.entityTag = entityTag.map(EntityTag.quoted)
        self.versionID = versionID
    }

    init(_ headers: HTTPHeaders) {
        self.init(entityTag: headers["ETag"], versionID: headers["x-amz-version-id"])
    }

    /// The report about it.
    func file(named name: StorageName, byteCount: Int64, sha256: [UInt8]? = nil) -> UploadedFile {
        UploadedFile(name: name, byteCount: byteCount, entityTag: entityTag, sha256: sha256, versionID: versionID)
    }
}
