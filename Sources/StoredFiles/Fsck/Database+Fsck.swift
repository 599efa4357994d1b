public import PostgresModels
public import Storages

extension Database {
    /// Compares a storage with the rows that name its files, in constant memory, however many there are.
    ///
    /// ```swift
    /// let summary = try await database.fsck(.media) { finding in print(finding) }
    /// ```
    /// It finds what the journal cannot know: files that were there before their column was tracked, files of tables
    /// that were dropped behind the migrations' back, rows that `session_replication_role = replica` wrote or deleted
    /// past the triggers, objects that somebody deleted by hand. A storage that lists in the order of the names' bytes
    /// is merged with the rows as it goes; another is sorted first, in temporary files.
    ///
    /// Only columns that are tracked count. Files that other tables or other programs keep in the same storage look
    /// like orphans; give them a storage, or a prefix, of their own before mending anything.
    ///
    /// Keys that no file can have as its name, which others have written, are counted (``FsckProgress/foreignKeys``),
    /// and never touched.
    ///
    /// Of an ``Storages/OverlayStorage`` only the files of the upper storage can be orphans. That no row names one of
    /// the lower storage's is no finding, and nothing is mended there; a row can name any of both.
    ///
    /// - Parameters:
    ///   - storage: The storage.
    ///   - configuration: What to look for, whether to mend it, and where to go on. Default: orphans and dangling rows,
    ///     nothing is changed.
    ///   - progress: Told every now and then how far it is; keep the last report to go on after an interruption.
    ///   - report: Gets every finding, in the order of the names for each kind.
    /// - Returns: The numbers.
    /// - Throws: ``Storages/StorageError`` when the storage cannot be listed, with code `.unknownStorage` when it is
    ///   not registered, `.invalidConfiguration` when the configuration has a value out of range; for repairs
    ///   `.notOwner`, `.invalidConfiguration` when no column names files of the storage, and `.preconditionFailed` when
    ///   there are more orphans than ``FsckConfiguration/orphanLimit``; ``DatabaseError`` with code `.invalidState`
    ///   when rows cannot be looked into; what `report` throws; `CancellationError`.
    /// - Complexity: O(n log n) in the number of rows, on the server; one listing of the storage.
    @discardableResult
    public func fsck(
        _ storage: StorageID,
        _ configuration: FsckConfiguration = FsckConfiguration(),
        progress: (@Sendable (FsckProgress) -> Void)? = nil,
        report: (FsckFinding) async throws -> Void
    ) async throws -> FsckProgress {
        let context = try lifecycleContext()
        try configuration.validate()
        let place = try context.storages.storage(for: storage)
        let foreignKeys = ForeignKeyCount()
        return try await FileListing.reportingForeignKeys(to: foreignKeys.note) {
            var run = FsckRun(
                database: self,
                id: storage,
                storage: place,
                configuration: configuration,
                foreignKeys: foreignKeys,
                checkOwner: {
                    try await Ownership(id: storage, storage: place, database: self, context: context).check()
                },
                onProgress: progress
            )
            return try await run.run(report)
        }
    }
}
