import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite("Statements outside the caller's transaction")
struct IndependentTests {
    struct Stop: Error {}

    @Test("Independent statements run and stay while a transaction holds the pool and rolls back")
    func theyRunAndStayAlthoughTheTransactionHoldsTheOnlyConnectionAndRollsBack() async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Author.migration])
            await #expect(throws: Stop.self) {
                try await database.transaction { outer in
                    try await outer.execute("INSERT INTO authors (name) VALUES ('rolled back')")
                    _ = try await database.runIndependently("INSERT INTO authors (name) VALUES (\("kept"))")
                    try await database.maintenanceTransaction(isIndependent: true) { inner in
                        #expect(Transaction.current === inner)
                        try await inner.execute("INSERT INTO authors (name) VALUES ('also kept')")
                    }
                    #expect(Transaction.current === outer)
                    throw Stop()
                }
            }
            #expect(try await database.all(Author.self, "ORDER BY name").map(\.name) == ["also kept", "kept"])
        }
    }

    @Test("Independent statements open few connections, which close with the database")
    func theirConnectionsAreFewLazyCountedAndClosedWithTheDatabase() async throws {
        try await withDatabase(poolSize: 1) { database in
            #expect(database.statistics.openConnections == 1)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<20 { group.addTask { _ = try await database.runIndependently("SELECT 1") } }
                try await group.waitForAll()
            }
            #expect((2...3).contains(database.statistics.openConnections))
            #expect(database.statistics.idleConnections == database.statistics.openConnections)
            await database.close()
            #expect(database.statistics.openConnections == 0)
            let error = try await databaseError { _ = try await database.runIndependently("SELECT 1") }
            #expect(error?.code == .closed)
        }
    }

    @Test("Tasks that run on the executor of the database get their rows")
    func tasksOnTheExecutorOfTheDatabaseGetTheirRows() async throws {
        try await withDatabase { database in
            let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 1...50 {
                    group.addTask(executorPreference: database.executor) {
                        let rows = try await database.query("SELECT \(number)")
                        return try #require(rows.first).decode(Int.self, at: 0)
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(sum == 1275)
        }
    }
}
