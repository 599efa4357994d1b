import StoredFilesTesting
import Synchronization
import Testing

@testable import PostgresModels

@Suite struct ConnectionPoolTests {
    @Test func theConnectionUsedLastIsLentFirst() async throws {
        let pool = try await TestServer.pool()
        let first = try await pool.acquire()
        let second = try await pool.acquire()
        await pool.release(first)
        await pool.release(second)
        let third = try await pool.acquire()
        #expect(third === second)
        await pool.release(third)
        #expect(pool.statistics == .init(open: 2, idle: 2, waiting: 0, created: 2, evicted: 0))
        await pool.close()
        #expect(pool.statistics.open == 0)
    }

    @Test func waitingTasksAreServedInOrder() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let held = try await pool.acquire()
        let order = Order()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<10 {
            tasks.append(
                Task { try await pool.withConnection { _ in order.add(number) } }
            )
            #expect(try await TestServer.eventually { pool.statistics.waiting == number + 1 })
        }
        await pool.release(held)
        for task in tasks { try await task.value }
        #expect(order.numbers == Array(0..<10))
        #expect(pool.statistics == .init(open: 1, idle: 1, waiting: 0, created: 1, evicted: 0))
        await pool.close()
    }

    @Test func aWaitingTaskCanBeCancelledAndLosesNoSlot() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let held = try await pool.acquire()
        let task = Task { try await pool.withConnection { _ in } }
        #expect(try await TestServer.eventually { pool.statistics.waiting == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(pool.statistics.waiting == 0)
        await pool.release(held)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1::int8").int() } == 1)
        await pool.close()
    }

    @Test func waitingEndsWithThePoolTimeout() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1, acquireTimeout: .milliseconds(150)))
        // On a busy machine the first connection may take longer than the time-out that is tested here.
        var first: PostgresConnection?
        for _ in 0..<200 where first == nil {
            first = try? await pool.acquire()
        }
        let held = try #require(first)
        for _ in 0..<2 {
            let error = try await databaseError { _ = try await pool.acquire() }
            #expect(error?.code == .poolTimeout)
        }
        await pool.release(held)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1::int8").int() } == 1)
        await pool.close()
    }

    @Test func releasingTwiceLendsOnce() async throws {
        let pool = try await TestServer.pool()
        let connection = try await pool.acquire()
        await pool.release(connection)
        await pool.release(connection)
        #expect(pool.statistics.idle == 1)
        await pool.close()
    }

    @Test(arguments: ["BEGIN", "BEGIN; SELECT 1/0"])
    func aTransactionLeftOpenIsRolledBack(_ sql: String) async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let table = "left_open_\(sql.utf8.count)"
        try await pool.withConnection { try await $0.simpleQuery("CREATE TABLE \(table)(n int)") }
        let pid = try await pool.withConnection { connection in
            try await connection.simpleQuery("BEGIN; INSERT INTO \(table) VALUES (1)")
            _ = try? await connection.simpleQuery(sql)
            return connection.backendPID
        }
        try await pool.withConnection { connection in
            #expect(connection.backendPID == pid)
            #expect(connection.transactionStatus == .idle)
            let count = try await connection.query("SELECT count(*) FROM \(table)").int()
            #expect(count == 0)
        }
        #expect(pool.statistics.evicted == 0)
        await pool.close()
    }

    @Test func aConnectionKilledWhileIdleLeavesThePoolByItself() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 2))
        let pid = try await pool.withConnection { $0.backendPID }
        let other = try await TestServer.connect()
        try await other.simpleQuery("SELECT pg_terminate_backend(\(pid))")
        other.close()
        #expect(try await TestServer.eventually { pool.statistics.open == 0 })
        #expect(pool.statistics.evicted == 1)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1::int8").int() } == 1)
        await pool.close()
    }

    @Test func aConnectionKilledInUseIsReplaced() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let error = try await databaseError {
            _ = try await pool.withConnection { try await $0.query("SELECT pg_terminate_backend(pg_backend_pid())") }
        }
        #expect(error?.code == .connectionLost)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1::int8").int() } == 1)
        #expect(pool.statistics == .init(open: 1, idle: 1, waiting: 0, created: 2, evicted: 1))
        await pool.close()
    }

    @Test func oldConnectionsAreReplaced() async throws {
        var configuration = TestServer.configuration(poolSize: 1)
        configuration.maxLifetime = .milliseconds(100)
        let pool = try await TestServer.pool(configuration)
        let first = try await pool.withConnection { $0.backendPID }
        try await Task.sleep(for: .milliseconds(120))
        let second = try await pool.withConnection { $0.backendPID }
        #expect(first != second)
        #expect(pool.statistics.created == 2)
        #expect(pool.statistics.open == 1 || pool.statistics.evicted == 2)
        await pool.close()
    }

    @Test func closingFailsThoseWhoWaitAndWaitsForThoseWhoWork() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let held = try await pool.acquire()
        let waiting = Task { try await pool.acquire() }
        #expect(try await TestServer.eventually { pool.statistics.waiting == 1 })
        let closing = Task { await pool.close() }
        #expect(try await databaseError { _ = try await waiting.value }?.code == .closed)
        #expect(try await held.query("SELECT 1::int8").int() == 1)
        await pool.release(held)
        await closing.value
        #expect(pool.statistics.open == 0)
        #expect(try await databaseError { _ = try await pool.acquire() }?.code == .closed)
    }

    @Test func aServerThatIsNotThereIsTriedAgainThenReported() async throws {
        var configuration = TestServer.configuration()
        configuration.connectBackoff = .milliseconds(40)
        let pool = try ConnectionPool("host=/nonexistent user=app", configuration: configuration)
        let clock = ContinuousClock()
        let start = clock.now
        let error = try await databaseError { _ = try await pool.acquire() }
        #expect(error?.code == .connectionFailed)
        // Two pauses of at least half of 40 and 80 milliseconds.
        #expect(start.duration(to: clock.now) >= .milliseconds(60))
        #expect(pool.statistics.open == 0)
        await pool.close()
    }

    @Test func aServerThatStopsAndComesBack() async throws {
        let server = try await TemporaryPostgres.start()
        var configuration = TestServer.configuration(poolSize: 3)
        configuration.connectAttempts = 1
        let pool = try ConnectionPool(server.url, configuration: configuration)
        let one = "SELECT 1::int8"
        #expect(try await pool.withConnection { try await $0.query(one).int() } == 1)

        let running = Task { try await pool.withConnection { try await $0.query("SELECT pg_sleep(20)") } }
        #expect(try await TestServer.eventually { pool.statistics.idle == 0 })
        try await server.stopServer(mode: .fast)
        let ended = try await databaseError { _ = try await running.value }
        #expect(ended?.code == .connectionLost || ended?.code == .connectionFailed)
        let down = try await databaseError { _ = try await pool.withConnection { try await $0.query(one) } }
        #expect(down?.code == .connectionFailed)
        try await server.startServer()
        #expect(try await pool.withConnection { try await $0.query(one).int() } == 1)

        try await server.kill()
        #expect(try await TestServer.eventually { pool.statistics.open == 0 })
        try await server.startServer()
        #expect(try await pool.withConnection { try await $0.query(one).int() } == 1)
        await pool.close()
        await server.stop()
    }
}

private final class Order: Sendable {
    private let served = Mutex<[Int]>([])

    var numbers: [Int] {
        served.withLock { $0 }
    }

    func add(_ number: Int) {
        served.withLock { $0.append(number) }
    }
}
