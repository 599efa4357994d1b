import NIOConcurrencyHelpers
import Platform
import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite("The end of transactions")
struct TransactionEndTests {
    struct Stop: Error {}

    private func isWaitingForLock(_ database: Database) async throws -> Bool {
        let rows = try await database.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return try #require(rows.first).decode(Int.self, at: 0) > 0
    }

    @Test("A transaction that has ended opens no savepoint")
    func aSavepointNeedsAnOpenTransaction() async throws {
        try await withDatabase(poolSize: 1) { database in
            let (outer, inner) = try await database.transaction { outer in
                (outer, try await outer.transaction { $0 })
            }
            for ended in [outer, inner] {
                let error = try await databaseError { try await ended.transaction { _ in } }
                #expect(error?.code == .closed)
            }
            try await database.execute("SELECT 1")
        }
    }

    @Test("A transaction that has ended is not the current one and accepts no hooks")
    func anEndedTransactionIsNobodysCurrentAndTakesNoHooks() async throws {
        try await withDatabase { database in
            let gate = Gate()
            let journal = Recorder<String>()
            let (ended, task) = try await database.transaction { outer in
                try await outer.transaction { inner in
                    #expect(Transaction.current === inner)
                    return (
                        inner,
                        Task {
                            await gate.wait()
                            return Transaction.current == nil
                        }
                    )
                }
            }
            gate.open()
            #expect(await task.value)
            let committing = ended.onCommit { journal.append("committed") }
            let rollingBack = ended.onRollback { journal.append("rolled back") }
            #expect(!committing && !rollingBack)
            #expect(journal.values.isEmpty)
        }
    }

    @Test("A task that outlives its savepoint belongs to the enclosing transaction")
    func aTaskThatOutlivesASavepointIsPartOfTheTransactionAroundIt() async throws {
        try await withDatabase { database in
            try await database.transaction { outer in
                let gate = Gate()
                let task = try await outer.transaction { _ in
                    Task {
                        await gate.wait()
                        return Transaction.current === outer
                    }
                }
                gate.open()
                #expect(await task.value)
                #expect(Transaction.current === outer)
            }
            #expect(Transaction.current == nil)
        }
    }

    @Test("A transaction is rolled back if a statement is still running when its body returns")
    func aStatementThatOutlivesTheBodyIsRolledBackWithIt() async throws {
        try await withDatabase(poolSize: 2) { database in
            try await database.migrate([Author.migration])
            let journal = Recorder<String>()
            let error = try await databaseError {
                try await database.transaction { transaction in
                    transaction.onRollback { journal.append("rolled back") }
                    try await transaction.execute("INSERT INTO authors (name) VALUES ('Ada')")
                    let before = database.statistics.statements
                    Task { try await transaction.execute("SELECT pg_sleep(30)") }
                    _ = try await eventually { database.statistics.statements > before }
                }
            }
            #expect(error?.code == .commandInProgress)
            #expect(journal.values == ["rolled back"])
            let count = try await database.count(Author.self)
            #expect(count == 0)
        }
    }

    @Test("A savepoint that cannot be rolled back fails the whole transaction")
    func aSavepointThatCannotBeRolledBackCostsTheTransaction() async throws {
        try await withDatabase(poolSize: 2) { database in
            try await database.migrate([Author.migration])
            let error = try await databaseError {
                try await database.transaction { outer in
                    try? await outer.transaction { inner in
                        try await inner.execute("INSERT INTO authors (name) VALUES ('must not stay')")
                        let before = database.statistics.statements
                        Task { try await inner.execute("SELECT pg_sleep(30)") }
                        _ = try await eventually { database.statistics.statements > before }
                        throw Stop()
                    }
                    try await outer.execute("INSERT INTO authors (name) VALUES ('cannot stay')")
                }
            }
            #expect(error?.code == .closed)
            let count = try await database.count(Author.self)
            #expect(count == 0)
        }
    }

    @Test("Transactions that deadlock are retried until all of them commit")
    func deadlocksAreRunAgainUntilAllAreThrough() async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL)")
            try await database.execute("INSERT INTO t VALUES (1, 0), (2, 0)")
            let journal = Recorder<String>()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (first, second) in [(1, 2), (2, 1)] {
                    group.addTask {
                        try await database.transaction(retrying: 20) { transaction in
                            journal.append("body")
                            try await transaction.execute("UPDATE t SET n = n + 1 WHERE id = \(first)")
                            // Until both hold their first row, which the first time is sure to happen.
                            _ = try await eventually { journal.values.count >= 2 }
                            try await transaction.execute("UPDATE t SET n = n + 1 WHERE id = \(second)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let rows = try await database.query("SELECT n FROM t")
            #expect(try rows.map { try $0.decode(Int.self, at: 0) } == [2, 2])
        }
    }

    @Test("A transaction whose attempts all fail throws the last error")
    func whenAllAttemptsFailTheLastErrorIsThrown() async throws {
        try await withDatabase { database in
            let journal = Recorder<String>()
            let error = try await databaseError {
                try await database.transaction(retrying: 3) { transaction in
                    journal.append("body")
                    try await transaction.execute(
                        "DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$"
                    )
                }
            }
            #expect(error?.code == .deadlock)
            #expect(journal.values.count == 4)
        }
    }

    @Test("A transaction with a stale statement is retried")
    func aStaleStatementIsRunAgainWithItsTransaction() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.execute("CREATE TABLE t (a int)")
            _ = try await database.query("SELECT * FROM t")
            try await database.execute("ALTER TABLE t ADD COLUMN b int")
            let names = try await database.transaction(retrying: 1) {
                try await $0.query("SELECT * FROM t").columnNames
            }
            #expect(names == ["a", "b"])
            let name = StatementKey(sql: "SELECT * FROM t", oids: []).statementName
            try await database.pool.withConnection { connection in
                try await connection.simpleQuery("DEALLOCATE ALL; PREPARE \(name) AS SELECT * FROM t")
            }
            let again = try await database.transaction(retrying: 1) {
                try await $0.query("SELECT * FROM t").columnNames
            }
            #expect(again == ["a", "b"])
        }
    }

    @Test("A session that is terminated during a statement is a typed error, and the next call works")
    func aSessionKilledInTheMiddleOfAStatementIsATypedErrorAndTheNextCallWorks() async throws {
        try await withDatabase(poolSize: 2) { database in
            let task = Task { try await database.execute("SELECT pg_sleep(30)") }
            let isKilled = try await eventually {
                let rows = try await database.query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                    AND query = 'SELECT pg_sleep(30)' AND state = 'active'
                    """
                )
                return !rows.isEmpty
            }
            #expect(isKilled)
            let error = try await databaseError { _ = try await task.value }
            #expect(error?.code == .connectionLost)
            #expect(error?.sqlState == "57P01")
            try await database.execute("SELECT 1")
        }
    }

    @Test("Cancelling an insert that waits for a lock leaves no row")
    func cancellingAnInsertThatWaitsForALockLeavesNoRow() async throws {
        try await withDatabase(poolSize: 3) { database in
            try await database.migrate([Author.migration])
            let task = try await database.transaction { blocker in
                try await blocker.execute("LOCK TABLE authors IN EXCLUSIVE MODE")
                let task = Task {
                    var author = Author(name: "Ada")
                    try await database.insert(&author)
                }
                let isWaiting = try await eventually { try await isWaitingForLock(database) }
                #expect(isWaiting)
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                return task
            }
            #expect(task.isCancelled)
            let count = try await database.count(Author.self)
            #expect(count == 0)
        }
    }

    enum Moment: CaseIterable, Sendable {
        case waitingForAConnection, waitingForALock, betweenStatements, beforeTheCommit, inASavepoint
    }

    @Test("Cancelling a transaction at any moment rolls back and returns the connection", arguments: Moment.allCases)
    func cancellationAtEachMomentRollsBackAndGivesTheConnectionBack(_ moment: Moment) async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Author.migration])
            let other = try await Database.connect(database.pool.target.conninfo)
            let journal = Recorder<String>()
            let isHeld = Gate()
            let release = Gate()
            let blocker = Task {
                // Holds the only connection, or a lock that the transaction needs.
                try await (moment == .waitingForAConnection ? database : other).transaction { transaction in
                    try await transaction.execute("LOCK TABLE authors IN EXCLUSIVE MODE")
                    isHeld.open()
                    await release.wait()
                }
            }
            let holds = moment == .waitingForAConnection || moment == .waitingForALock
            if holds { await isHeld.wait() } else { release.open() }
            if !holds { try await blocker.value }
            let task = Task {
                try await database.transaction { transaction in
                    transaction.onRollback { journal.append(Task.isCancelled ? "cancelled hook" : "rolled back") }
                    try await transaction.execute("INSERT INTO authors (name) VALUES ('Ada')")
                    if moment == .betweenStatements {
                        withUnsafeCurrentTask { $0?.cancel() }
                        try await transaction.execute("INSERT INTO authors (name) VALUES ('Bob')")
                    }
                    if moment == .inASavepoint {
                        try await transaction.transaction { inner in
                            try await inner.execute("INSERT INTO authors (name) VALUES ('Eve')")
                            withUnsafeCurrentTask { $0?.cancel() }
                        }
                    }
                    if moment == .beforeTheCommit { withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            if moment == .waitingForAConnection {
                let isWaiting = try await eventually { database.statistics.waitingTasks == 1 }
                #expect(isWaiting)
                task.cancel()
            } else if moment == .waitingForALock {
                let isWaiting = try await eventually { try await isWaitingForLock(other) }
                #expect(isWaiting)
                task.cancel()
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            release.open()
            if holds { try await blocker.value }
            #expect(journal.values == (moment == .waitingForAConnection ? [] : ["rolled back"]))
            let count = try await database.count(Author.self)
            #expect(count == 0)
            #expect(database.statistics.idleConnections == 1)
            #expect(database.statistics.openConnections == 1)
            await other.close()
        }
    }

    @Test("Cancelling a transaction during BEGIN rolls back and returns the connection")
    func cancellationWhileTheServerIsBusyWithBeginRollsBackAndReleasesTheConnection() async throws {
        try await withDatabase(poolSize: 1) { database in
            // The only connection of the pool: the transaction gets it next.
            let connection = try await database.pool.acquire()
            await database.pool.release(connection)
            // The server takes BEGIN, and the cancel request, when it goes on.
            try #require(kill(connection.backendPID, SIGSTOP) == 0)
            let task = Task { try await database.transaction { try await $0.execute("SELECT 1") } }
            let isSent = try await eventually { connection.transactionStatus == .active }
            task.cancel()
            kill(connection.backendPID, SIGCONT)
            #expect(isSent)
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(connection.transactionStatus == .idle)
            #expect(database.statistics.idleConnections == 1)
            try await database.execute("SELECT 1")
        }
    }

    @Test("Cancelling a task while the pool connects leaves no waiting task")
    func cancellationWhileConnectingLeavesNobodyWaiting() async throws {
        let blackHole = try BlackHole()
        defer { blackHole.close() }
        var configuration = TestServer.configuration()
        configuration.connectTimeout = .milliseconds(500)
        configuration.connectAttempts = 1
        let pool = try ConnectionPool("host=\(blackHole.directory) user=app", configuration: configuration)
        let task = Task { try await pool.withConnection { _ in } }
        #expect(try await eventually { pool.statistics.waiting == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(pool.statistics.waiting == 0)
        await pool.close()
        #expect(pool.statistics.open == 0)
    }

    @Test("A transaction that is cancelled after its COMMIT is sent is committed")
    func aTransactionThatIsCancelledAfterItsCommitWasSentIsCommitted() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Author.migration])
            try await database.execute(
                """
                CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN PERFORM pg_advisory_xact_lock(7); RETURN NULL; END $$
                """
            )
            try await database.execute(
                """
                CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON authors DEFERRABLE INITIALLY DEFERRED \
                FOR EACH ROW EXECUTE FUNCTION wait()
                """
            )
            let other = try await Database.connect(database.pool.target.conninfo)
            let task = try await other.transaction { blocker in
                try await blocker.execute("SELECT pg_advisory_xact_lock(7)")
                let task = Task {
                    try await database.transaction { try await $0.execute("INSERT INTO authors (name) VALUES ('Ada')") }
                }
                let isWaiting = try await eventually { try await isWaitingForLock(other) }
                #expect(isWaiting)
                task.cancel()
                return task
            }
            #expect(try await task.value == 1)
            #expect(try await database.count(Author.self) == 1)
            await other.close()
        }
    }
}
