import Metrics
import Platform
public import PostgresModels
public import Storages

extension Database {
    /// Looks at the journal once, and deletes what is due: for a job that runs now and then, in place of a ``Reaper``.
    ///
    /// - Parameters:
    ///   - configuration: Which files are due, and how they are deleted. Default: those whose rows went an hour ago.
    ///   - waitLimit: The longest wait for transactions that were running when names were marked: until they have ended
    ///     it cannot be known whether they name one of the files. Default: five seconds. What has to wait for longer
    ///     is left to the next look.
    /// - Returns: What it came to.
    /// - Throws: ``Storages/StorageError`` with code `.unknownStorage` when the database was opened without storages,
    ///   `.invalidConfiguration` when the configuration has a value out of range; ``DatabaseError``;
    ///   `CancellationError`. A storage that fails is part of the report.
    @discardableResult
    public func reap(
        _ configuration: ReaperConfiguration = ReaperConfiguration(),
        waitLimit: Duration = .seconds(5)
    ) async throws -> ReapReport {
        try await reap(configuration, waitLimit: waitLimit, shouldStop: { false })
    }

    func reap(
        _ configuration: ReaperConfiguration,
        waitLimit: Duration,
        shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> ReapReport {
        let context = try lifecycleContext()
        try configuration.validate()
        Counter(label: "stored_files.reaper.passes").increment()
        let deadline = ContinuousClock.now + waitLimit
        var report = ReapReport()
        while true {
            let passes = try context.storages.ids.map { id in
                ReapPass(
                    database: self,
                    context: context,
                    id: id,
                    storage: try context.storages.storage(for: id),
                    configuration: configuration
                )
            }
            let parts = try await passes.mapConcurrently(limit: passes.count) { pass in
                do {
                    return try await pass.run(shouldStop: shouldStop)
                } catch let error as CancellationError {
                    throw error
                } catch {
                    // A storage or field that cannot be worked on is no reason to let the others wait.
                    return ReapReport(refusing: pass.id, error)
                }
            }
            for part in parts { report.add(part) }
            report.isWaiting = parts.contains(where: \.isWaiting)
            guard report.isWaiting, ContinuousClock.now < deadline, !shouldStop() else { return report }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Removes one file at once, whatever the retention, and everything that the storage keeps of it: for who has to,
    /// by law or by mistake.
    ///
    /// Where a bucket keeps versions all of them go, and the markers of earlier deletions, too; so do variants of an
    /// image and unfinished uploads. A file that was deleted before is looked for again.
    ///
    /// - Parameters:
    ///   - name: The name of the file.
    ///   - storage: Its storage.
    ///   - waitLimit: The longest wait for transactions that are running and might name the file. Default: ten seconds.
    ///   - waitsForStandbys: Whether nothing is removed before the synchronous standbys have applied the decision, and
    ///     all that was committed before it, such as the deletion of the row (`synchronous_commit = remote_apply`).
    ///     Then no failover brings a row back whose file is gone. It waits for as long as they take, also when the task
    ///     is cancelled, and not at all where the server has no `synchronous_standby_names`. Default: no; then the
    ///     server's own setting says what a commit waits for.
    /// - Returns: Whether the file was removed, is named by a row and stays, or is left to the reaper, and what was
    ///   there.
    /// - Throws: ``Storages/StorageError`` when something is left, then the reaper tries again: with code `.retained`
    ///   and the date when the storage keeps it; with code `.notOwner`, `.unknownStorage`; ``DatabaseError`` with code
    ///   `.invalidState` when rows cannot be looked into; `CancellationError`.
    @discardableResult
    public func purge(
        _ name: StorageName,
        in storage: StorageID,
        waitLimit: Duration = .seconds(10),
        waitsForStandbys: Bool = false
    ) async throws -> PurgeReceipt {
        let context = try lifecycleContext()
        var pass = ReapPass(
            database: self,
            context: context,
            id: storage,
            storage: try context.storages.storage(for: storage),
            configuration: ReaperConfiguration()
        )
        if waitsForStandbys { pass.settings["synchronous_commit"] = "remote_apply" }
        try await Ownership(id: storage, storage: pass.storage, database: self, context: context).check()
        // Committed before it is marked: a claim that sees nothing of it yet is older than the mark, and is waited for.
        try await maintenanceTransaction(settings: pass.settings) { transaction in
            _ = try await transaction.query(
                "SELECT \(raw: JournalSchema.name).condemn(\(storage.rawValue), ARRAY[\(name.string)])"
            )
            // A transaction that writes nothing waits for nobody, and the name may be one that was deleted long ago.
            if waitsForStandbys {
                _ = try await transaction.query("SELECT pg_logical_emit_message(true, 'stored_files', 'purge')")
            }
        }
        try await pass.lapse()
        let deadline = ContinuousClock.now + waitLimit
        while true {
            // Again each time: a transaction that holds the name may have ended.
            if try await pass.mark(only: name).revived > 0 { return PurgeReceipt(.live) }
            let (taken, revived) = try await pass.take(only: name)
            if revived > 0 { return PurgeReceipt(.live) }
            if !taken.isEmpty { return PurgeReceipt(.deleted, try await pass.purge(taken)) }
            switch try await outcome(name, storage) {
            case .live: return PurgeReceipt(.live)
            case .deleted: return PurgeReceipt(.deleted, try await pass.removeAll(of: name))
            case .pending:
                guard ContinuousClock.now < deadline else { return PurgeReceipt(.pending) }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private func outcome(_ name: StorageName, _ storage: StorageID) async throws -> PurgeOutcome {
        let rows = try await query(
            """
            SELECT state FROM \(raw: JournalSchema.name).journal WHERE storage = \(storage.rawValue) \
            AND name = \(name.string) UNION ALL SELECT 'uploading' FROM \(raw: JournalSchema.name).reservations \
            WHERE storage = \(storage.rawValue) AND name = \(name.string)
            """
        )
        guard let row = rows.first else { return .live }
        return try row.decode(String.self, at: 0) == "deleted" ? .deleted : .pending
    }

    func lifecycleContext() throws -> FileContext {
        guard let context = attachments.get(FileContext.self) else {
            throw StorageError(
                .unknownStorage,
                "The database was opened without storages; open it with Database.connect(_:storages:)."
            )
        }
        return context
    }
}
