import Metrics
public import PostgresModels
public import Storages

extension Database {
    /// Looks at the journal once, and deletes what is due: for a job that runs now and then, in place of a ``Reaper``.
    ///
    /// - Parameters:
    ///   - configuration: Which files are due, and how they are deleted. Default: those whose rows went an hour ago.
    ///   - patience: How long to wait for transactions that were running when names were marked: until they have ended
    ///     it cannot be known whether they name one of the files. Default: five seconds. What has to wait for longer
    ///     is left to the next look.
    /// - Returns: What it came to.
    /// - Throws: ``Storages/StorageError`` with code `.unknownStorage` when the database was opened without storages;
    ///   ``DatabaseError``; `CancellationError`. A storage that fails is part of the report.
    @discardableResult
    public func reap(
        _ configuration: ReaperConfiguration = ReaperConfiguration(),
        patience: Duration = .seconds(5)
    ) async throws -> ReapReport {
        try await reap(configuration, patience: patience, shouldStop: { false })
    }

    func reap(
        _ configuration: ReaperConfiguration,
        patience: Duration,
        shouldStop: @escaping @Sendable () -> Bool
    ) async throws -> ReapReport {
        let context = try lifecycleContext()
        Counter(label: "stored_files.reaper.passes").increment()
        let deadline = ContinuousClock.now + patience
        var report = ReapReport()
        while true {
            let part = try await withThrowingTaskGroup(of: ReapReport.self) { group in
                for id in context.storages.ids {
                    let pass = ReapPass(
                        database: self,
                        context: context,
                        id: id,
                        storage: try context.storages.storage(for: id),
                        configuration: configuration
                    )
                    group.addTask { try await pass.run(shouldStop: shouldStop) }
                }
                var whole = ReapReport()
                var isWaiting = false
                for try await part in group {
                    whole.add(part)
                    isWaiting = isWaiting || part.isWaiting
                }
                whole.isWaiting = isWaiting
                return whole
            }
            report.add(part)
            guard part.isWaiting, ContinuousClock.now < deadline, !shouldStop() else { return report }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Deletes one file at once, whatever the retention: for who has to, by law or by mistake.
    ///
    /// - Parameters:
    ///   - name: The name of the file.
    ///   - storage: Its storage.
    ///   - patience: How long to wait for transactions that are running and might name the file. Default: ten seconds.
    /// - Returns: Whether the file was deleted, is named by a row and stays, or is left to the reaper.
    /// - Throws: ``Storages/StorageError`` when the storage does not delete it, then the reaper tries again; with code
    ///   `.unknownStorage`; ``DatabaseError``; `CancellationError`.
    @discardableResult
    public func purge(
        _ name: StorageName,
        in storage: StorageID,
        patience: Duration = .seconds(10)
    ) async throws -> PurgeOutcome {
        let context = try lifecycleContext()
        let pass = ReapPass(
            database: self,
            context: context,
            id: storage,
            storage: try context.storages.storage(for: storage),
            configuration: ReaperConfiguration()
        )
        let marked = try await query(
            """
            INSERT INTO stored_files.journal AS j (storage, name, state, lease_until, transaction_id) \
            SELECT \(storage.rawValue), \(name.string), 'deleting', clock_timestamp(), pg_current_xact_id() \
            WHERE NOT EXISTS (SELECT FROM stored_files.named(\(storage.rawValue), ARRAY[\(name.string)])) \
            ON CONFLICT (storage, name) DO UPDATE SET state = 'deleting', lease_until = clock_timestamp(), \
            attempts = 0, transaction_id = pg_current_xact_id() \
            WHERE j.state = 'condemned' OR j.state = 'uploading' AND j.lease_until < clock_timestamp() \
            OR j.state = 'deleting' AND j.lease_until <= clock_timestamp()
            """
        ).affectedRows
        guard marked > 0 else { return try await outcome(name, storage) }
        let deadline = ContinuousClock.now + patience
        while true {
            let (taken, revived) = try await pass.take(only: name)
            if revived > 0 { return .live }
            if !taken.isEmpty {
                for failure in try await pass.delete(taken) { throw failure.error }
                return .deleted
            }
            guard ContinuousClock.now < deadline else { return .pending }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func outcome(_ name: StorageName, _ storage: StorageID) async throws -> PurgeOutcome {
        let rows = try await query(
            """
            SELECT state FROM stored_files.journal WHERE storage = \(storage.rawValue) AND name = \(name.string)
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
