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
            writer.element("Key", key)
            writer.end("Object")
        }
        writer.element("Quiet", "false")
        writer.end("Delete")
        return writer.buffer
    }

    /// Writes the body for versions of objects, whose keys ``canHold(_:)`` accepts.
    static func make(for versions: [ListedVersion]) -> ByteBuffer {
        var writer = XMLWriter(root: "Delete", capacity: versions.reduce(128) { $0 + $1.key.count + 120 })
        for version in versions {
            writer.begin("Object")
            writer.element("Key", version.key)
            writer.element("VersionId", version.versionID)
            writer.end("Object")
        }
        writer.element("Quiet", "false")
        writer.end("Delete")
        return writer.buffer
    }

    /// Returns whether a key can stand in the body; one that cannot is to be deleted by a request of its own.
    static func canHold(_ key: [UInt8]) -> Bool {
        !key.isEmpty && XMLWriter.canExpress(key)
    }
}
