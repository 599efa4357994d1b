public import Logging
import Synchronization

/// A PostgreSQL database: a pool of connections, and what runs on them.
///
/// One per process and database is enough; it is safe to use from all tasks. Each call takes a connection from the pool
/// and releases it; a ``transaction(_:)`` keeps one for its duration.
public final class Database: DatabaseSession {
    let pool: ConnectionPool
    /// The pool for statements that must not wait for a connection that the caller holds; past a pooler, when there is
    /// a way.
    let sidePool: ConnectionPool
    let listeners = NotificationListeners()
    private let statementCount = Atomic<Int>(0)

    /// The objects that layers above attached to the database.
    package let attachments: DatabaseAttachments

    /// The logger of notable events.
    public let logger: Logger

    private init(
        pool: ConnectionPool,
        direct: ConnectionTarget?,
        attachments: DatabaseAttachments,
        logger: Logger
    ) {
        self.pool = pool
        sidePool = pool.sibling(size: 2, target: direct)
        self.attachments = attachments
        self.logger = logger
    }

    /// Opens a database.
    ///
    /// One connection is made at once, so that a wrong address fails here and not in the first request.
    ///
    /// - Parameters:
    ///   - conninfo: A libpq connection string or URI, for example `postgresql:///app` (libpq manual, 34.1.1).
    ///   - configuration: Pool, time-outs, logging.
    /// - Returns: The database. Close it with ``close(timeout:)``.
    /// - Throws: ``DatabaseError`` with code `.connectionFailed`, `.invalidArgument` for a configuration that makes no
    ///   sense; `CancellationError`.
    public static func connect(
        _ conninfo: String,
        configuration: DatabaseConfiguration = DatabaseConfiguration()
    ) async throws -> Database {
        try await connect(conninfo, configuration: configuration, attachments: DatabaseAttachments())
    }

    /// Opens a database, with objects that layers above attach to it.
    package static func connect(
        _ conninfo: String,
        configuration: DatabaseConfiguration,
        attachments: DatabaseAttachments
    ) async throws -> Database {
        let pool = try ConnectionPool(conninfo, configuration: configuration)
        let direct = try configuration.directAddress.map { try ConnectionTarget($0) }
        do {
            try await pool.withConnection { _ in }
        } catch {
            await pool.close()
            throw error
        }
        return Database(pool: pool, direct: direct, attachments: attachments, logger: configuration.logger)
    }

    /// Closes all connections.
    ///
    /// New statements, and those that wait for a connection, fail with ``DatabaseError/Code/closed`` at once. What is
    /// running may come to its end.
    ///
    /// - Parameter timeout: The time that running statements may take; then they fail with the same code. Default:
    ///   5 seconds.
    public func close(timeout: Duration = .seconds(5)) async {
        listeners.close()
        async let side: Void = sidePool.close(timeout: timeout)
        await pool.close(timeout: timeout)
        await side
    }

    /// Runs tasks on the thread that reads from the connections, which saves them two hops between threads a statement.
    ///
    /// ```swift
    /// Task(executorPreference: database.executor) { try await handle(request) }
    /// ```
    /// There is one such thread in the process: all connections stand still while a task occupies it. Never block there
    /// and never compute for long; wait for statements, and do the rest elsewhere.
    public var executor: any TaskExecutor {
        pool.executor
    }

    /// Counts of what the database has done and holds at the moment.
    public var statistics: DatabaseStatistics {
        let pool = pool.statistics
        let side = sidePool.statistics
        return DatabaseStatistics(
            statements: statementCount.load(ordering: .relaxed),
            openConnections: pool.open + side.open,
            idleConnections: pool.idle + side.idle,
            listeningConnections: listeners.connectionCount,
            waitingTasks: pool.waiting + side.waiting
        )
    }

    /// Runs one statement on a connection of the pool.
    ///
    /// - Parameter statement: The statement and its bound values.
    /// - Returns: The rows.
    /// - Throws: ``DatabaseError`` by SQLSTATE, `.poolTimeout` when no connection came free in time;
    ///   `CancellationError`.
    public func run(_ statement: Statement) async throws -> Rows {
        try await pool.withConnection { connection in
            try await run(statement, on: connection)
        }
    }

    func run(_ statement: Statement, on connection: PostgresConnection, cache: Bool = true) async throws -> Rows {
        countStatement()
        do {
            let isCached = cache && statement.isReused
            let result = try await connection.query(statement.text, statement.parameters, cache: isCached)
            return Rows(result, attachments: attachments)
        } catch let error as DatabaseError {
            throw attachments.explained(error)
        }
    }

    func countStatement() {
        statementCount.wrappingAdd(1, ordering: .relaxed)
    }
}
