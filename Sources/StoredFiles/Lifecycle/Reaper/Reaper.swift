import Logging
import NIOConcurrencyHelpers
public import PostgresModels
public import ServiceLifecycle
import Storages

/// The service that deletes the files that no row names any more.
///
/// ```swift
/// let reaper = Reaper(database)
/// try await ServiceGroup(services: [reaper, server], logger: logger).run()
/// ```
/// Any number of them may run, in any number of processes: they share the work and never get in each other's way. It is
/// woken when rows let go of files, and looks at the journal at least once an interval. What it cannot delete it tries
/// again, later and later. A graceful shutdown ends it after the batch that is under way.
///
/// Its counters are `stored_files.reaper.deleted`, `.failed` and `.revived`, each with the dimension `storage`, and
/// `.passes`.
///
/// The role it connects with needs SELECT, INSERT, UPDATE and DELETE on `stored_files.journal`, and SELECT on
/// `stored_files.fields` and on the tables in it, past any row-level security.
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

    private enum Wake: Sendable {
        case condemned, timer, stop
    }

    /// Works until the service is shut down or the task is cancelled.
    ///
    /// Failures of the database and of storages are logged and tried again; they do not end it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; ``Storages/StorageError`` with code `.unknownStorage`
    ///   when the database was opened without storages.
    public func run() async throws {
        guard database.storages != nil else {
            throw StorageError(
                .unknownStorage,
                "A reaper needs a database that was opened with storages; use Database.connect(_:storages:)."
            )
        }
        let (wakes, waker) = AsyncStream<Wake>.makeStream(bufferingPolicy: .bufferingNewest(16))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { [database] in try await Self.listen(database, waker) }
            try await withGracefulShutdownHandler {
                try await work(wakes, waker)
            } onGracefulShutdown: { [isStopping] in
                isStopping.withLockedValue { $0 = true }
                waker.yield(.stop)
            }
            group.cancelAll()
        }
    }

    private func work(_ wakes: AsyncStream<Wake>, _ waker: AsyncStream<Wake>.Continuation) async throws {
        var wakes = wakes.makeAsyncIterator()
        while !isStopping.withLockedValue({ $0 }) {
            var next = ContinuousClock.now + (await pass())
            waiting: while true {
                let timer = Task { [next] in
                    try await Task.sleep(until: next)
                    waker.yield(.timer)
                }
                defer { timer.cancel() }
                guard let wake = await wakes.next() else { throw CancellationError() }
                switch wake {
                case .stop: return
                // What was condemned just now is not due before its retention has passed.
                case .condemned: next = min(next, .now + configuration.retention)
                case .timer: if ContinuousClock.now >= next { break waiting }
                }
            }
        }
    }

    /// One look at the journal; how long to pause after it.
    private func pass() async -> Duration {
        do {
            let report = try await database.reap(configuration, patience: .zero) { [isStopping] in
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

    /// How long until the next name is due; `nil` when the journal is empty.
    private func nextDue() async throws -> Duration? {
        let ids = database.storages?.ids.map(\.rawValue) ?? []
        let rows = try await database.query(
            """
            SELECT extract(epoch FROM min(d.due) - clock_timestamp())::float8 FROM unnest(\(ids)) AS s (id),
            LATERAL (
                (SELECT since + make_interval(secs => \(configuration.retention.inSeconds)) AS due
                FROM stored_files.journal WHERE storage = s.id AND state = 'condemned' ORDER BY since LIMIT 1)
                UNION ALL
                (SELECT since + make_interval(secs => \(configuration.tombstoneAge.inSeconds))
                FROM stored_files.journal WHERE storage = s.id AND state = 'deleted' ORDER BY since LIMIT 1)
                UNION ALL
                (SELECT min(lease_until) FROM stored_files.journal
                WHERE storage = s.id AND state IN ('uploading', 'deleting'))
            ) AS d
            """
        )
        return try rows.first?.decode(Double?.self, at: 0).map { .seconds(max(0, $0)) }
    }

    private static func listen(_ database: Database, _ waker: AsyncStream<Wake>.Continuation) async throws {
        do {
            // Whatever it is, that it listens now too: something may have been condemned that nobody has looked for.
            for try await _ in database.listen(to: JournalSchema.channel) { waker.yield(.condemned) }
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // The interval goes on without it.
            database.logger.warning("The reaper is not notified any more", metadata: ["error": "\(error)"])
        }
    }
}
