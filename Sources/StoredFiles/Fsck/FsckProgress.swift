public import Storages

/// The progress of a comparison of a storage with the rows.
public struct FsckProgress: Hashable, Sendable {
    /// The number of objects that were looked at.
    public internal(set) var objects = 0
    /// The number of names in rows that were looked at.
    public internal(set) var rows = 0
    /// The number of orphans that were found.
    public internal(set) var orphans = 0
    /// The number of dangling rows that were found.
    public internal(set) var danglingRows = 0
    /// The number of keys that no file can have as its name.
    ///
    /// Others have written them. No row can name them, and they are neither mended nor deleted: remove them by the
    /// tools of the storage.
    public internal(set) var foreignKeys = 0
    /// The first of these keys, twenty at most.
    public internal(set) var foreignKeySamples: [ForeignKey] = []
    /// The number of wrong sizes that were found.
    public internal(set) var wrongSizes = 0
    /// The number of orphans that were condemned and of sizes that were forgotten.
    public internal(set) var repaired = 0
    /// The name up to which everything has been looked at and reported: where ``FsckConfiguration/position`` goes on.
    public internal(set) var position: StorageName?
}
