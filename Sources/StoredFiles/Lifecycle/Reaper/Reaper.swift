import Logging
import NIOConcurrencyHelpers
import Platform
public import PostgresModels
public import ServiceLifecycle
import Storages

/// The service that deletes the files that no row names any more.
///
/// ```swift
/// let reaper = Reaper(database)
/// try await ServiceGroup(services: [reaper, server], logger: logger).run()
/// ```
/// Any number of them may run, in any number of processes: they share the work and never get in each other's way. It
/// looks at the journal when something is due, and at least once an interval. What it cannot delete it tries again,
/// later and later. Where it cannot know which files rows name, it deletes nothing and logs the remedy. A graceful
/// shutdown ends it after the batch that is under way.
///
/// Its counters are `stored_files.reaper.deleted`, `.failed` and `.revived`, each with the dimension `storage`, and
/// `.passes`.
///
/// The role it connects with needs what `SELECT stored_files.allow('role', reaps => true)` grants it, and SELECT on the
/// tables that name files, past any row-level security.
public final class Reaper: Service, Sendable {
    private let database: Database
    private let configuration: ReaperConfiguration
    private let isStopping = NIOLockedValueBox(false)

    /// Creates a reaper for the storages that a database was opened with.
    ///
    /// - Parameters:
    ///   - database: The database; it must have been opened with storages.
    ///   - configuration: How it works. Default: as described there.
    public init(_ database: Database, configuration: ReaperConfiguration = ReaperConfiguration()) {
        self.database = database
        self.configuration = configuration
    }

    /// Runs until the service is shut down or the task is cancelled.
    ///
    /// Failures of the database and of storages are logged and tried again; they do not end it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; ``Storages/StorageError`` with code `.unknownStorage`
    ///   when the database was opened without storages, `.invalidConfiguration` when the configuration has a value out
    ///   of range.
    public func run() async throws {
        guard database.storages != nil else {
            throw StorageError(
                .unknownStorage,
                "A reaper needs a database that was opened with storages; use Database.connect(_:storages:)."
            )
        }
        try configuration.validate()
        try await withGracefulShutdownHandler {
            while !isStopping.withLockedValue({ $0 }) {
                let pause = await pass()
                try Task.checkCancellation()
                // Ends early when the service is shut down, which is no error here.
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: pause) }
                try Task.checkCancellation()
            }
        } onGracefulShutdown: { [isStopping] in
            isStopping.withLockedValue { $0 = true }
        }
    }

    /// Runs one pass over the journal; returns the pause after it.
    private func pass() async -> Duration {
        do {
            let report = try await database.reap(configuration, waitLimit: .zero) { [isStopping] in
                isStopping.withLockedValue { $0 }
            }
            if !report.isEmpty {
                database.logger.info(
                    "Reaped",
                    metadata: [
                        "deleted": "\(report.deleted)", "failed": "\(report.failed)", "revived": "\(report.revived)",
                        "forgotten": "\(report.forgotten)",
                    ]
                )
            }
            for refusal in report.refusals {
                database.logger.error(
                    "Nothing of a storage was deleted",
                    metadata: ["storage": "\(refusal.storage)", "error": "\(refusal.error)"]
                )
            }
            if report.isWaiting { return min(.seconds(1), configuration.interval) }
            guard let due = try await nextDue() else { return configuration.interval }
            return min(configuration.interval, max(due, min(.seconds(1), configuration.interval)))
        } catch is CancellationError {
            return configuration.interval
        } catch {
            database.logger.error("The journal could not be worked off", metadata: ["error": "\(error)"])
            return min(.seconds(5), configuration.interval)
        }
    }

    /// The time until the next name is due; `nil` when the journal is empty.
    private func nextDue() async throws -> Duration? {
        let ids = database.storages?.ids.map(\.rawValue) ?? []
        let rows = try await database.query(
            """
            SELECT extract(epoch FROM min(d.due) - clock_timestamp())::float8 FROM unnest(\(ids)) AS s (id),
            LATERAL (
                (SELECT since + make_interval(secs => \(configuration.retention.inSeconds)) AS due
                FROM \(raw: JournalSchema.name).journal WHERE storage = s.id AND state = 'condemned' ORDER BY since \
                LIMIT 1)
                UNION ALL
                (SELECT since + make_interval(secs => \(configuration.retention.inSeconds))
                FROM \(raw: JournalSchema.name).let_go WHERE storage = s.id LIMIT 1)
                UNION ALL
                (SELECT since + make_interval(secs => \(configuration.tombstoneAge.inSeconds))
                FROM \(raw: JournalSchema.name).journal WHERE storage = s.id AND state = 'deleted' ORDER BY since \
                LIMIT 1)
                UNION ALL
                (SELECT min(lease_until) FROM \(raw: JournalSchema.name).journal
                WHERE storage = s.id AND state IN ('uploading', 'deleting'))
                UNION ALL
                (SELECT r.until FROM \(raw: JournalSchema.name).reservations AS r
                WHERE r.storage = s.id AND r.until < 'infinity' AND NOT EXISTS (SELECT FROM \
                \(raw: JournalSchema.name).fields
                AS f WHERE f.id = r.field AND f.ended_at IS NOT NULL) ORDER BY r.until LIMIT 1)
            ) AS d
            """
        )
        return try rows.first?.decode(Double?.self, at: 0).map { .seconds(max(0, $0)) }
    }
}
