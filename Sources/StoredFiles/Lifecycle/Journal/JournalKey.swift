import Storages

/// The key by which the journal knows a file.
struct JournalKey: Hashable, Sendable {
    let storage: StorageID
    let name: StorageName
}
