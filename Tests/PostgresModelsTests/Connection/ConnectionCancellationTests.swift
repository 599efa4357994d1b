import Foundation
import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct ConnectionCancellationTests {
    @Test("A cancelled query stops, and the next query on its connection runs")
    func aCancelledQueryStopsAndTheNextOneRuns() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        let task = Task { try await connection.query("SELECT pg_sleep(30)") }
        #expect(try await eventually { connection.transactionStatus == .active })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("SELECT 7::int8").int() == 7)
        #expect(connection.isUsable)
    }

    @Test("A cancel request that arrives before the server has read the statement is repeated")
    func aCancelRequestThatComesBeforeTheServerHasBegunIsRepeated() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        // The server's process has not read the statement when the request arrives, and forgets it.
        #expect(kill(connection.backendPID, SIGSTOP) == 0)
        let task = Task { try await connection.query("SELECT pg_sleep(600)") }
        #expect(try await eventually { connection.transactionStatus == .active })
        task.cancel()
        try await Task.sleep(for: .milliseconds(100))
        #expect(kill(connection.backendPID, SIGCONT) == 0)
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("SELECT 7::int8").int() == 7)
    }

    @Test("A task that is already cancelled sends no statement")
    func aTaskCancelledBeforeSendsNothing() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery("CREATE TEMP TABLE t(n int)")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await connection.query("INSERT INTO t VALUES (1)")
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try await connection.query("SELECT count(*) FROM t").int() == 0)
    }

    @Test("A statement that is not cancellable runs although its task is cancelled")
    func rollbackRunsAlthoughTheTaskIsCancelled() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery("BEGIN")
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await connection.simpleQuery("ROLLBACK", cancellable: false).commandTag
        }
        #expect(try await task.value == "ROLLBACK")
        #expect(connection.transactionStatus == .idle)
    }

    @Test("A cancel request never hits the command after the one it is meant for")
    func noCancelRequestHitsTheCommandAfterIts() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        var generator = SystemRandomNumberGenerator()
        var finished = 0
        var cancelled = 0
        for _ in 0..<400 {
            let task = Task.detached { try await connection.query("SELECT count(*) FROM generate_series(1, 400)") }
            let clock = ContinuousClock()
            let end = clock.now + .microseconds(Int.random(in: 10...900, using: &generator))
            while clock.now < end {}
            task.cancel()
            do {
                #expect(try await task.value.int() == 400)
                finished += 1
            } catch is CancellationError {
                cancelled += 1
            }
            let next = try await connection.simpleQuery(
                "SELECT count(*) FROM generate_series(1, 300)",
                cancellable: false
            )
            #expect(next.string() == "300")
        }
        #expect(finished + cancelled == 400)
        #expect(cancelled > 0)
    }

    @Test("A connection whose cancelled statement does not stop is lost after the grace period")
    func aStatementThatDoesNotStopCostsTheConnectionAfterTheGracePeriod() async throws {
        var configuration = TestServer.configuration()
        configuration.cancellationGracePeriod = .milliseconds(200)
        let connection = try await TestServer.connect(configuration)
        let other = try await TestServer.connect()
        defer { other.close() }
        // Catches the cancel request and goes on, as a C function that never checks for interrupts would: five minutes,
        // if nobody gave up on it.
        let stubborn = """
            DO $$ BEGIN
              FOR i IN 1..3000 LOOP
                BEGIN PERFORM pg_sleep(0.1); EXCEPTION WHEN query_canceled THEN NULL; END;
              END LOOP;
            END $$
            """
        let task = Task { try await connection.simpleQuery(stubborn) }
        #expect(try await eventually { connection.transactionStatus == .active })
        // Before it sleeps a cancel request would really end it.
        let isAsleep = try await eventually {
            let sleeping = try await other.query(
                "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'PgSleep'",
                .of(Int64(connection.backendPID))
            )
            return sleeping.int() == 1
        }
        #expect(isAsleep)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(!connection.isUsable)
        let error = try await databaseError { try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionLost)
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
    }
}
