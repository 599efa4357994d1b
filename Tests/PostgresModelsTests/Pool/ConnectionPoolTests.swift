import NIOConcurrencyHelpers
import StoredFilesTesting
import Synchronization
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct ConnectionPoolTests {
    @Test("The pool lends the most recently used connection first")
    func theConnectionUsedLastIsLentFirst() async throws {
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

    @Test("Tasks that wait for a connection are served in order")
    func waitingTasksAreServedInOrder() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let held = try await pool.acquire()
        let order = Order()
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<10 {
            tasks.append(
                Task { try await pool.withConnection { _ in order.add(number) } }
            )
            #expect(try await eventually { pool.statistics.waiting == number + 1 })
        }
        await pool.release(held)
        for task in tasks { try await task.value }
        #expect(order.numbers == Array(0..<10))
        #expect(pool.statistics == .init(open: 1, idle: 1, waiting: 0, created: 1, evicted: 0))
        await pool.close()
    }

    @Test("Cancelling a task that waits for a connection loses no slot of the pool")
    func aWaitingTaskCanBeCancelledAndLosesNoSlot() async throws {
        let pool = try await TestServer.pool(TestServer.configuration(poolSize: 1))
        let held = try await pool.acquire()
        let task = Task { try await pool.withConnection { _ in } }
        #expect(try await eventually { pool.statistics.waiting == 1 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(pool.statistics.waiting == 0)
        await pool.release(held)
        #expect(try await pool.withConnection { try await $0.query("SELECT 1::int8").int() } == 1)
        await pool.close()
    }

    @Test("A task that waits for a connection fails after the pool timeout")
    func waitingEndsWithThePoolTimeout() async throws {
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

    @Test("A connection that is released twice is idle once")
    func releasingTwiceLendsOnce() async throws {
        let pool = try await TestServer.pool()
        let connection = try await pool.acquire()
        await pool.release(connection)
        await pool.release(connection)
        #expect(pool.statistics.idle == 1)
        await pool.close()
    }

    @Test("A configuration with an invalid value is refused, and the error names the property")
    func aConfigurationThatMakesNoSenseIsRefused() async throws {
        let changes: [(String, (inout DatabaseConfiguration) -> Void)] = [
            ("poolSize", { $0.poolSize = 0 }), ("acquireTimeout", { $0.acquireTimeout = .zero }),
            ("connectTimeout", { $0.connectTimeout = .seconds(-1) }), ("connectAttempts", { $0.connectAttempts = 0 }),
            ("connectBackoff", { $0.connectBackoff = .seconds(-1) }), ("maxLifetime", { $0.maxLifetime = .zero }),
            ("statementCacheCapacity", { $0.statementCacheCapacity = 1 }),
            ("statementTimeout", { $0.statementTimeout = .microseconds(1) }),
            ("cancellationGracePeriod", { $0.cancellationGracePeriod = .seconds(-1) }),
            ("applicationName", { $0.applicationName = "a\0b" }), ("timeZone", { $0.timeZone = "" }),
            ("sessionSettings", { $0.sessionSettings = ["": "x"] }),
        ]
        for (property, change) in changes {
            var configuration = DatabaseConfiguration()
            change(&configuration)
            let error = try await databaseError {
                _ = try await Database.connect("host=/nonexistent", configuration: configuration)
            }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(property) == true)
        }
    }

    @Test("The pool works again after the server is stopped or killed, and restarted")
    func aServerThatStopsAndComesBack() async throws {
        let server = try await TemporaryPostgres.start()
        var configuration = TestServer.configuration(poolSize: 3)
        configuration.connectAttempts = 1
        let pool = try ConnectionPool(server.url, configuration: configuration)
        let one = "SELECT 1::int8"
        #expect(try await pool.withConnection { try await $0.query(one).int() } == 1)

        let running = Task { try await pool.withConnection { try await $0.query("SELECT pg_sleep(20)") } }
        #expect(try await eventually { pool.statistics.idle == 0 })
        try await server.stopServer(mode: .fast)
        let ended = try await databaseError { _ = try await running.value }
        #expect(ended?.code == .connectionLost || ended?.code == .connectionFailed)
        let down = try await databaseError { _ = try await pool.withConnection { try await $0.query(one) } }
        #expect(down?.code == .connectionFailed)
        try await server.startServer()
        #expect(try await pool.withConnection { try await $0.query(one).int() } == 1)

        try await server.kill()
        #expect(try await eventually { pool.statistics.open == 0 })
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
