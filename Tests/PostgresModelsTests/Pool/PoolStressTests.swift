import StoredFilesTesting
import Synchronization
import Testing

@testable import PostgresModels

/// Many tasks, few connections, cancellation at random moments, killed sessions and transactions left open.
@Suite struct PoolStressTests {
    private final class Counters: Sendable {
        let fine = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let cancelled = Atomic<Int>(0)
        let lost = Atomic<Int>(0)
        let unexpected = Mutex<[String]>([])
    }

    private struct LeftOpen: Error {}

    @Test(
        "The pool returns right rows and loses no slot under cancellations and killed sessions",
        arguments: [false, true]
    )
    func noRowIsWrongAndNoSlotIsLost(onReactor: Bool) async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let pool = try ConnectionPool(
            url,
            configuration: TestServer.configuration(poolSize: 8, acquireTimeout: .seconds(600))
        )
        try await pool.withConnection {
            try await $0.simpleQuery(
                "CREATE TABLE s AS SELECT g::int8 AS id, 'row ' || g AS t FROM generate_series(1, 500) g"
            )
        }
        let counters = Counters()
        let tasks = 64
        let rounds = 60
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                group.addTask(executorPreference: onReactor ? pool.executor : nil) {
                    for _ in 0..<rounds { await Self.operation(pool, counters) }
                }
            }
        }
        #expect(counters.wrong.load(ordering: .relaxed) == 0)
        #expect(counters.unexpected.withLock { $0 } == [])
        #expect(counters.cancelled.load(ordering: .relaxed) > 0)
        #expect(counters.lost.load(ordering: .relaxed) > 0)
        let all =
            counters.fine.load(ordering: .relaxed) + counters.cancelled.load(ordering: .relaxed)
            + counters.lost.load(ordering: .relaxed)
        #expect(all == tasks * rounds)

        let statistics = pool.statistics
        #expect(statistics.waiting == 0)
        #expect(statistics.idle == statistics.open)
        #expect(statistics.created - statistics.evicted == statistics.open)
        // Every slot can still be lent.
        var held: [PostgresConnection] = []
        for _ in 0..<8 { held.append(try await pool.acquire()) }
        #expect(Set(held.map(\.backendPID)).count == 8)
        for connection in held { await pool.release(connection) }
        await pool.close()
    }

    private static func operation(_ pool: ConnectionPool, _ counters: Counters) async {
        let id = Int64.random(in: 1...500)
        let dice = Int.random(in: 0..<1000)
        let work = Task { try await Self.work(pool, id, dice, counters) }
        let killer =
            dice % 4 == 0
            ? Task {
                try? await Task.sleep(for: .microseconds(Int.random(in: 0...4000)))
                work.cancel()
            } : nil
        do {
            try await work.value
            counters.fine.wrappingAdd(1, ordering: .relaxed)
        } catch is CancellationError {
            counters.cancelled.wrappingAdd(1, ordering: .relaxed)
        } catch is LeftOpen {
            counters.fine.wrappingAdd(1, ordering: .relaxed)
        } catch let error as DatabaseError where error.code == .connectionLost {
            counters.lost.wrappingAdd(1, ordering: .relaxed)
        } catch {
            counters.unexpected.withLock { $0.append("\(error)") }
        }
        await killer?.value
    }

    private static func work(_ pool: ConnectionPool, _ id: Int64, _ dice: Int, _ counters: Counters) async throws {
        let select = "SELECT id, t FROM s WHERE id = $1"
        try await pool.withConnection { connection in
            switch dice {
            case 0..<8:
                try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
            case 8..<120:
                let slept = try await connection.query("SELECT pg_sleep(0.002), $1", .of(id))
                if slept.int(0, 1) != id { counters.wrong.wrappingAdd(1, ordering: .relaxed) }
            case 120..<200:
                try await connection.simpleQuery("BEGIN")
                try await connection.query("UPDATE s SET t = t WHERE id = $1", .of(id))
                try await connection.simpleQuery("ROLLBACK", cancellable: false)
            case 200..<240:
                try await connection.simpleQuery("BEGIN")
                throw LeftOpen()
            default:
                let result = try await connection.query(select, .of(id))
                if result.rowCount != 1 || result.int() != id || result.string(0, 1) != "row \(id)" {
                    counters.wrong.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
    }
}
