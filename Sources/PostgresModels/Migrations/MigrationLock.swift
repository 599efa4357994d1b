import Logging

/// The lock by which programs that migrate take turns: an advisory lock within a transaction that lasts as long as it.
///
/// Not a lock of the session: behind a pooler in transaction mode the next command may run in another session, so that
/// a lock would be released where it was never taken, and stay for ever where it was. A transaction keeps its
/// session, and its end, however it comes, is the end of the lock.
struct MigrationLock {
    /// "stored" in ASCII: an advisory lock is a number that everybody must agree on.
    private static let key: Int64 = 0x73_74_6f_72_65_64

    private let connection: PostgresConnection
    private let logger: Logger

    /// Waits for the lock.
    ///
    /// It is polled: a session blocked in `pg_advisory_xact_lock` holds a snapshot. So does none that is idle in a
    /// transaction at READ COMMITTED, for which a `CREATE INDEX CONCURRENTLY` would wait.
    ///
    /// - Parameters:
    ///   - connection: A connection that does nothing else.
    ///   - timeout: The time to wait for another process.
    /// - Throws: `MigrationError.locked`; `DatabaseError`; `CancellationError`.
    init(on connection: PostgresConnection, timeout: Duration, logger: Logger) async throws {
        self.connection = connection
        self.logger = logger
        let deadline = ContinuousClock.now + timeout
        while try await !tryLock() {
            guard ContinuousClock.now < deadline else {
                throw MigrationError(
                    code: .locked,
                    message: "Another process has been migrating this database for \(timeout); is it stuck?"
                )
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Takes the lock if it is free.
    ///
    /// Not cancellable: the statement may have taken the lock although it seems to have been stopped. No transaction is
    /// left open without it, which would occupy a connection of a pooler while others migrate.
    private func tryLock() async throws -> Bool {
        try Task.checkCancellation()
        // Whatever the server ends idle transactions after, a long migration is none.
        var begin = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0;"
        if connection.serverVersion >= 170_000 { begin += "SET LOCAL transaction_timeout = 0;" }
        let result = try await connection.simpleQuery(
            "\(begin) SELECT pg_try_advisory_xact_lock(\(Self.key))",
            cancellable: false
        )
        let isLocked = withExtendedLifetime(result) { result.cell(row: 0, column: 0)?.first == UInt8(ascii: "t") }
        if !isLocked { try await connection.simpleQuery("ROLLBACK", cancellable: false) }
        return isLocked
    }

    /// Makes sure that the lock is still held: its session may have been ended by somebody meanwhile.
    ///
    /// - Throws: `MigrationError.lockLost`.
    func check() async throws {
        do {
            try await connection.simpleQuery("SELECT 1", cancellable: false)
        } catch {
            throw Self.lost(because: error)
        }
    }

    /// Releases the lock, also for a cancelled task; a connection on which that fails is closed, which frees it too.
    func unlock() async {
        do {
            let result = try await connection.simpleQuery("COMMIT", cancellable: false, within: .seconds(5))
            guard result.commandTag != "COMMIT" else { return }
            logger.warning("The transaction that held the lock on migrations had failed")
        } catch {
            logger.warning("The session that held the lock on migrations was lost", metadata: ["error": "\(error)"])
        }
        connection.close()
    }

    private static func lost(because error: any Error) -> MigrationError {
        MigrationError(
            code: .lockLost,
            message: """
                The session that held the lock on migrations was lost, and another process may have begun. What was \
                being applied was rolled back where it could be; migrate again.
                """,
            underlying: error
        )
    }
}
