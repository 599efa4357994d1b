/// The place where a storage keeps its bytes, whatever value or decorator it is reached through.
///
/// Two storages of one location see the same files. A decorator that keeps the names of the storage below it forwards
/// that one's location; without it the decorator counts as a place of its own, and its files as other files:
///
/// ```swift
/// struct LoggedStorage: Storage {
///     let base: any Storage
///     var location: StorageLocation? { StorageLocation(of: base) }
///     …
/// }
/// ```
///
/// Locations are compared within one process only. That one place is reached in two ways which look different, as by
/// two names of one host, is not seen.
public struct StorageLocation: Hashable, Sendable {
    let identity: StorageIdentity

    /// Creates the location of another storage: what a decorator forwards.
    ///
    /// - Parameter storage: The storage below.
    public init(of storage: any Storage) {
        identity = StorageIdentity(storage)
    }

    /// Creates the location that an address stands for, of a storage that is none of this package's.
    ///
    /// - Parameter address: What is the same for all values that keep their bytes in one place, such as
    ///   `ftp://files.example.org/media`; without credentials. Compared by its UTF-8 bytes.
    public init(address: String) {
        identity = StorageIdentity(root: .address(Array(address.utf8)))
    }

    init(_ identity: StorageIdentity) {
        self.identity = identity
    }

    /// The location of a directory below this one.
    ///
    /// - Parameter prefix: The directory, without a slash at its end.
    /// - Returns: The directory's location.
    public func directory(_ prefix: StorageName) -> StorageLocation {
        StorageLocation(identity.directory(prefix.string))
    }

    /// Returns whether a name in one location can be the same file as a name in the other: the locations are equal, or
    /// one is a directory within the other.
    ///
    /// - Parameter other: The other location.
    /// - Returns: Whether they overlap.
    public func overlaps(_ other: StorageLocation) -> Bool {
        identity.overlaps(other.identity)
    }
}
