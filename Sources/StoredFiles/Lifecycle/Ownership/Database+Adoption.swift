public import PostgresModels
public import Storages

extension Database {
    /// Makes this database the one that decides about the files of a storage: once, after a move to another server, or
    /// when a storage that has files already gets a database.
    ///
    /// The reaper, ``purge(_:in:waitLimit:waitsForStandbys:)`` and the repairs of ``fsck(_:_:progress:report:)`` delete
    /// nothing while the storage bears the mark of another database, or while this database is a copy of the one that
    /// the mark is of: a dump that was restored as staging, a clone of the server. A new, empty storage is marked
    /// without being told. A standby that was promoted goes on; call it there all the same, because the former primary,
    /// if it comes back, goes on, too.
    ///
    /// The former owner refuses from then on; a program that is running finds out within a minute. Never call it
    /// in the program's start: a copy would call it, too.
    ///
    /// - Parameter storage: The storage.
    /// - Throws: ``Storages/StorageError`` when the mark cannot be written, with code `.unknownStorage` when the
    ///   storage is not registered; ``DatabaseError``; `CancellationError`.
    public func adopt(_ storage: StorageID) async throws {
        let context = try lifecycleContext()
        try await Ownership(
            id: storage,
            storage: try context.storages.storage(for: storage),
            database: self,
            context: context
        ).adopt()
    }
}
