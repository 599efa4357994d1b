import NIOCore

/// The body of DeleteObjects.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
enum DeleteObjectsBody {
    /// Writes the body for keys of UTF-8 that ``canHold(_:)`` accepts; the response will name each key.
    static func make(for keys: [[UInt8]]) -> ByteBuffer {
        var writer = XMLWriter(root: "Delete", capacity: keys.reduce(128) { $0 + $1.count + 40 })
        for key in keys {
            writer.begin("Object")
            writer.element("Key", text: key)
            writer.end("Object")
        }
        writer.element("Quiet", text: "false")
        writer.end("Delete")
        return writer.buffer
    }

    /// Writes the body for versions of objects, whose keys ``canHold(_:)`` accepts.
    static func make(for versions: [ListedVersion]) -> ByteBuffer {
        var writer = XMLWriter(root: "Delete", capacity: versions.reduce(128) { $0 + $1.key.count + 120 })
        for version in versions {
            writer.begin("Object")
            writer.element("Key", text: version.key)
            writer.element("VersionId", text: version.versionID)
            writer.end("Object")
        }
        writer.element("Quiet", text: "false")
        writer.end("Delete")
        return writer.buffer
    }

    /// Returns whether a key can stand in the body; one that cannot is to be deleted by a request of its own.
    static func canHold(_ key: [UInt8]) -> Bool {
        !key.isEmpty && XMLWriter.canExpress(key)
    }
}

/// The response to DeleteObjects: the outcome for each key.
struct DeleteResult: Hashable, Sendable {
    enum Outcome: Hashable, Sendable {
        /// The object does not exist any more, or never did.
        case deleted
        /// The server reports an error.
        case failed(S3ErrorDocument)
        /// The response does not name the key: it may still exist.
        case unreported
    }

    private var deleted: Set<[UInt8]> = []
    /// The deleted versions by their ids, where a request names some.
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
                // SeaweedFS names a deleted marker in the second only.
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

    /// Returns the outcomes for the versions of the request, all of one key, in their order.
    func outcomes(ofVersions versions: [String]) -> [Outcome] {
        versions.map { version in
            if let error = failedVersions[version] {
                return error.code == .noSuchKey || error.code == .noSuchVersion ? .deleted : .failed(error)
            }
            // Some servers name the key only; the listing that follows shows what is left.
            let isNamed = deletedVersions.isEmpty ? !deleted.isEmpty : deletedVersions.contains(version)
            if isNamed { return .deleted }
            return (general ?? failed.values.first).map { .failed($0) } ?? .unreported
        }
    }

    /// Returns the outcomes for the keys of the request, in their order.
    func outcomes(for keys: [[UInt8]]) -> [Outcome] {
        // Keys in this response are not encoded; a key that matches none of the request is tried as an encoded one.
        let asked = Set(keys)
        var encoded: [[UInt8]: [UInt8]] = [:]
        for key in deleted.union(failed.keys) where !asked.contains(key) {
            encoded[ListingEncoding.url.decode(key)] = key
        }
        return keys.map { key in
            let text = deleted.contains(key) || failed[key] != nil ? key : encoded[key] ?? key
            if let error = failed[text] { return error.code == .noSuchKey ? .deleted : .failed(error) }
            if deleted.contains(text) { return .deleted }
            return general.map { .failed($0) } ?? .unreported
        }
    }
}
