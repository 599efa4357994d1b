/// The storages of an application by their ids; made once at start-up and shared.
public final class StorageRegistry: Sendable {
    private let storages: [StorageID: any Storage]

    /// Makes a registry.
    ///
    /// - Parameter storages: The storages by id.
    public init(_ storages: [StorageID: any Storage]) {
        self.storages = storages
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
