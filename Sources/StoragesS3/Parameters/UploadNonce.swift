import Storages

/// A random word that an upload leaves in the object's metadata, by which it recognises its own object later.
///
/// An upload that must not overwrite anything may succeed although its response is lost, and then be refused when it is
/// tried again: by itself. Readers of the metadata do not see the word.
enum UploadNonce {
    static let name = "stored-files-upload"
    static let header = "x-amz-meta-" + name

    /// The number of bytes that it takes of the room for metadata.
    static let byteCount = name.utf8.count + 26

    static func make() -> String { StorageName.timeOrderedID() }
}
