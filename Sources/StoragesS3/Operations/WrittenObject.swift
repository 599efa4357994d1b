/// What the answer to a write says of the object.
struct WrittenObject: Hashable, Sendable {
    var entityTag: String?
    /// In a bucket that keeps versions.
    var versionID: String?

    init(entityTag: String?, versionID: String?) {
        self.entityTag = entityTag.map(Self.quoted)
        self.versionID = versionID
    }

    init(_ headers: HTTPHeaders) {
        self.init(entityTag: headers["ETag"], versionID: headers["x-amz-version-id"])
    }

    /// A tag with its quotes (RFC 9110 section 8.8.3), which some servers leave out in some answers.
    private static func quoted(_ tag: String) -> String {
        tag.hasSuffix("\"") || tag.isEmpty ? tag : "\"\(tag)\""
    }
}
