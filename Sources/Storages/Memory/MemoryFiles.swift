import Foundation
import NIOCore

/// One version of a file in memory.
struct MemoryFile {
    var contents: ByteBuffer
    var sha256: [UInt8]
    var contentType: ContentType?
    var contentDisposition: String?
    var cacheControl: String?
    var metadata: [String: String]
    var modified = Date()

    /// Quoted, as RFC 9110 section 8.8.3 writes strong tags.
    var entityTag: String { "\"\(sha256.prefix(16).hexadecimal)\"" }

    func info(_ name: StorageName, withMetadata: Bool = true) -> FileInfo {
        FileInfo(
            name: name,
            byteCount: Int64(contents.readableBytes),
            contentType: contentType,
            entityTag: entityTag,
            modified: modified,
            contentDisposition: contentDisposition,
            cacheControl: cacheControl,
            metadata: withMetadata ? metadata : [:]
        )
    }
}

/// Files by name, and their names in byte order.
struct MemoryFiles {
    private var files: [StorageName: MemoryFile] = [:]
    private var names: [StorageName] = []
    /// The bytes of all files.
    private(set) var byteCount: Int64 = 0

    subscript(name: StorageName) -> MemoryFile? {
        get { files[name] }
        set {
            guard let newValue else { return remove(name) }
            byteCount += Int64(newValue.contents.readableBytes)
            if let old = files.updateValue(newValue, forKey: name) {
                byteCount -= Int64(old.contents.readableBytes)
            } else {
                names.insert(name, at: firstIndex { $0 < name })
            }
        }
    }

    mutating func remove(_ name: StorageName) {
        guard let old = files.removeValue(forKey: name) else { return }
        byteCount -= Int64(old.contents.readableBytes)
        names.remove(at: firstIndex { $0 < name })
    }

    /// The first file in byte order that begins with a prefix and follows a name.
    func first(prefix: String, after last: StorageName?) -> FileInfo? {
        let index =
            if let last {
                firstIndex { $0 < last || $0 == last }
            } else {
                firstIndex { $0.string.utf8.lexicographicallyPrecedes(prefix.utf8) }
            }
        guard index < names.count, names[index].hasPrefix(bytesOf: prefix) else { return nil }
        return files[names[index]]?.info(names[index], withMetadata: false)
    }

    /// Binary search for the first name that does not come before what is looked for.
    private func firstIndex(_ comesBefore: (StorageName) -> Bool) -> Int {
        var (low, high) = (0, names.count)
        while low < high {
            let middle = (low + high) / 2
            if comesBefore(names[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
