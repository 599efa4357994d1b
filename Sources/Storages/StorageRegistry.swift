/// The storages of an application by their ids; made once at start-up and shared.
public final class StorageRegistry: Sendable {
    private let storages: [StorageID: any Storage]

    /// Makes a registry.
    ///
    /// - Parameter storages: The storages by id.
    public init(_ storages: [StorageID: any Storage]) {
        self.storages = storages
    }

    /// Checks that no two ids share files: what one of them lets go of would be deleted although rows name it by the
    /// other.
    ///
    /// `Database.connect(_:storages:)` does it first.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidConfiguration`` that names two ids whose
    ///   storages have one location, or one within the other's.
    /// - Complexity: O(n²) in the number of ids.
    public func validate() throws {
        let places = ids.compactMap { id in
            storages[id].map { (id: id, identity: StorageIdentity($0), label: $0.label) }
        }
        for (index, first) in places.enumerated() {
            for second in places[(index + 1)...] where first.identity.overlaps(second.identity) {
                let names = "\(StorageError.quoted(first.id.rawValue)) and \(StorageError.quoted(second.id.rawValue))"
                throw StorageError(
                    .invalidConfiguration,
                    "The storages \(names) share files: \(first.label) and \(second.label) are one place, or one lies "
                        + "within the other. Register the place once, or give each id a PrefixedStorage with a prefix "
                        + "of its own."
                )
            }
        }
    }

    /// The ids that have a storage, in the order of their text.
    public var ids: [StorageID] {
        storages.keys.sorted { $0.rawValue < $1.rawValue }
    }

    /// The storage of an id; `nil` when none is registered.
    ///
    /// - Parameter id: The id.
    public subscript(id: StorageID) -> (any Storage)? {
        storages[id]
    }

    /// The storage of an id.
    ///
    /// - Parameter id: The id.
    /// - Returns: The storage.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unknownStorage``, naming the id and those registered.
    public func storage(for id: StorageID) throws -> any Storage {
        if let storage = storages[id] { return storage }
        let registered = ids.map { StorageError.quoted($0.rawValue) }.joined(separator: ", ")
        throw StorageError(
            .unknownStorage,
            "No storage is registered as \(StorageError.quoted(id.rawValue)); registered are: "
                + "\(registered.isEmpty ? "none" : registered). Add it to the StorageRegistry."
        )
    }
}
