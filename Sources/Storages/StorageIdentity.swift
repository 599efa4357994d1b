/// The place where a storage keeps its bytes: a root, and a directory below it.
///
/// Valid for as long as the storage lives. Files of two storages are the same when their identities and names are.
package struct StorageIdentity: Hashable, Sendable {
    enum Root: Hashable, Sendable {
        /// A storage that is an object and says nothing else.
        case object(ObjectIdentifier)
        /// A storage that is a value and says no more than its label.
        case value(ObjectIdentifier, label: String)
        /// The file system of this machine.
        case fileSystem
        /// An address, in UTF-8: Swift's strings are equal when they look the same, addresses are not.
        case address([UInt8])
    }

    private let root: Root
    /// The segments' UTF-8, for the same reason.
    private let directory: [[UInt8]]

    /// Creates the identity of a storage: what its ``Storage/location`` says, else the object or value itself.
    package init(_ storage: any Storage) {
        if let location = storage.location {
            self = location.identity
            return
        }
        let type = type(of: storage)
        if type is AnyObject.Type {
            self.init(root: .object(ObjectIdentifier(storage as AnyObject)))
        } else {
            self.init(root: .value(ObjectIdentifier(type), label: storage.label))
        }
    }

    init(root: Root, path: String = "") {
        self.root = root
        directory = Self.segments(path)
    }

    private init(root: Root, directory: [[UInt8]]) {
        self.root = root
        self.directory = directory
    }

    /// The identity of a directory below this one.
    func directory(_ path: String) -> StorageIdentity {
        StorageIdentity(root: root, directory: directory + Self.segments(path))
    }

    /// Returns whether two identities are equal, or the directory of one lies within that of the other.
    package func overlaps(_ other: StorageIdentity) -> Bool {
        root == other.root && zip(directory, other.directory).allSatisfy(==)
    }

    private static func segments(_ path: String) -> [[UInt8]] {
        path.utf8.split(separator: UInt8(ascii: "/")).map(Array.init)
    }
}
