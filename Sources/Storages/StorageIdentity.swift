/// What tells two storages apart although they may have the same label: for work that callers share by file.
///
/// Valid for as long as the storage lives.
package enum StorageIdentity: Hashable, Sendable {
    /// A storage that is an object.
    case object(ObjectIdentifier)
    /// A storage that is a value and says no more than its label.
    case value(ObjectIdentifier, label: String)
    /// A directory of another storage.
    indirect case directory(StorageName, of: StorageIdentity)

    /// The identity of a storage.
    package init(_ storage: any Storage) {
        let type = type(of: storage)
        if type is AnyObject.Type {
            self = .object(ObjectIdentifier(storage as AnyObject))
        } else if let storage = storage as? any IdentifiableStorage {
            self = storage.identity
        } else {
            self = .value(ObjectIdentifier(type), label: storage.label)
        }
    }
}

/// A storage that is a value and knows what tells it apart: a decorator, which forwards the identity of its base.
package protocol IdentifiableStorage: Storage {
    /// What tells this storage apart.
    var identity: StorageIdentity { get }
}

extension PrefixedStorage: IdentifiableStorage {
    package var identity: StorageIdentity { .directory(prefix, of: StorageIdentity(base)) }
}
