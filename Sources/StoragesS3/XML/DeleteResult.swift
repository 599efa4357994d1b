import NIOCore

/// The answer to DeleteObjects: what became of each key.
struct DeleteResult: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// There is no such object any more, or there was none.
        case deleted
        /// The server says why not.
        case failed(S3ErrorDocument)
        /// The answer does not name the key: it may still exist.
        case unreported
    }

    private var deleted: Set<[UInt8]> = []
    /// By the ids of versions, where a request names some.
    private var deletedVersions: Set<String> = []
    private var failedVersions: [String: S3ErrorDocument] = [:]
    private var failed: [[UInt8]: S3ErrorDocument] = [:]
    /// An error that names no key, and so is about all that are not named.
    private var general: S3ErrorDocument?

    init(_ body: ByteBuffer) throws(UnusableDocument) {
        let root = try S3Document.root(of: body, named: ["DeleteResult", "DeleteObjectsResult", "DeleteObjectsOutput"])
        for element in root.children {
            switch element.name {
            case "Deleted":
                if let key = element.bytes("Key") { deleted.insert(key) }
                // SeaweedFS names a marker that was deleted in the second only.
                for id in ["VersionId", "DeleteMarkerVersionId"] {
                    if let version = element.string(id) { deletedVersions.insert(version) }
                }
            case "Error":
                let error = S3ErrorDocument(element)
                if let version = element.string("VersionId") {
                    failedVersions[version] = error
                } else if let key = element.bytes("Key"), !key.isEmpty {
                    failed[key] = error
                } else {
                    general = error
                }
            default: break
            }
        }
    }

    /// What became of the versions of the request, all of one key, in their order.
    func outcomes(ofVersions versions: [String]) -> [Outcome] {
        versions.map { version in
            if let error = failedVersions[version] {
                return ["NoSuchKey", "NoSuchVersion"].contains(error.code) ? .deleted : .failed(error)
            }
            // Some servers name the key only; the listing that follows tells.
            let isNamed = deletedVersions.isEmpty ? !deleted.isEmpty : deletedVersions.contains(version)
            if isNamed { return .deleted }
            return (general ?? failed.values.first).map { .failed($0) } ?? .unreported
        }
    }

    /// What became of the keys of the request, in their order.
    func outcomes(for keys: [[UInt8]]) -> [Outcome] {
        // Keys here are not encoded; what only makes sense when they are is taken so.
        let asked = Set(keys)
        var encoded: [[UInt8]: [UInt8]] = [:]
        for key in deleted.union(failed.keys) where !asked.contains(key) {
            encoded[ListingEncoding.url.decode(key)] = key
        }
        return keys.map { key in
            let text = deleted.contains(key) || failed[key] != nil ? key : encoded[key] ?? key
            if let error = failed[text] { return error.code == "NoSuchKey" ? .deleted : .failed(error) }
            if deleted.contains(text) { return .deleted }
            return general.map { .failed($0) } ?? .unreported
        }
    }
}
