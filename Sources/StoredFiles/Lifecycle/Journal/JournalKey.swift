import Storages

/// What the journal knows a file by.
struct JournalKey: Hashable, Sendable {
    let storage: StorageID
    let name: StorageName
}
