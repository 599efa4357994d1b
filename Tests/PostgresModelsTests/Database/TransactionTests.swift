import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Transactions")
struct TransactionTests {
    struct Stop: Error {}

    @Test("A transaction whose body throws is rolled back and rethrows the error")
    func whatThrowsIsRolledBackAndTheErrorThrownOn() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            await #expect(throws: Stop.self) {
                try await database.transaction { transaction in
                    var author = Author(name: "Ada")
                    try await transaction.insert(&author)
                    throw Stop()
                }
            }
            let count = try await database.count(Author.self)
            #expect(count == 0)
        }
    }

    @Test("A savepoint that fails undoes only its own changes")
    func savepointsUndoTheirOwnPartOnly() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            try await database.transaction { outer in
                var kept = Author(name: "kept")
                try await outer.insert(&kept)
                for index in 0..<3 {
                    await #expect(throws: DatabaseError.self) {
                        try await outer.transaction { inner in
                            var lost = Author(name: "lost \(index)")
                            try await inner.insert(&lost)
                            try await inner.transaction { try await $0.execute("SELECT 1/0") }
                        }
                    }
                }
                try await outer.transaction { inner in
                    var alsoKept = Author(name: "also kept")
                    try await inner.insert(&alsoKept)
                }
            }
            let names = try await database.all(Author.self, "ORDER BY name").map(\.name)
            #expect(names == ["also kept", "kept"])
        }
    }

    @Test("Commit and rollback hooks follow the outcome of their savepoint")
    func hooksFollowTheSavepointTheyBelongTo() async throws {
        try await withDatabase { database in
            let journal = Recorder<String>()
            try await database.transaction { outer in
                outer.onCommit { journal.append("outer committed") }
                outer.onRollback { journal.append("outer rolled back") }
                try? await outer.transaction { inner in
                    inner.onCommit { journal.append("first committed") }
                    inner.onRollback { journal.append("first rolled back") }
                    throw Stop()
                }
                #expect(journal.values == ["first rolled back"])
                try await outer.transaction { inner in
                    inner.onCommit { journal.append("second committed") }
                    inner.onRollback { journal.append("second rolled back") }
                }
                #expect(journal.values.count == 1, "a released savepoint is not committed yet")
            }
            #expect(journal.values == ["first rolled back", "outer committed", "second committed"])
        }
    }

    @Test("A transaction whose body hides a failed statement is not committed")
    func aSwallowedErrorIsNotCommitted() async throws {
        try await withDatabase { database in
            let journal = Recorder<String>()
            let error = try await databaseError {
                try await database.transaction { transaction in
                    transaction.onRollback { journal.append("rolled back") }
                    _ = try? await transaction.execute("SELECT 1/0")
                }
            }
            #expect(error?.code == .transactionAborted)
            #expect(journal.values == ["rolled back"])
        }
    }

    @Test("A transaction that has ended refuses statements")
    func aTransactionIsOfNoUseAfterItsEnd() async throws {
        try await withDatabase { database in
            let escaped = try await database.transaction { $0 }
            let error = try await databaseError { try await escaped.execute("SELECT 1") }
            #expect(error?.code == .closed)
        }
    }

    @Test("Serializable transactions are retried, so that no write skew remains")
    func writeSkewIsRetriedUntilItHolds() async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TABLE duty (doctor int PRIMARY KEY, on_call bool NOT NULL)")
            try await database.execute("INSERT INTO duty VALUES (1, true), (2, true)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for doctor in [1, 2] {
                    group.addTask {
                        try await database.transaction(isolation: .serializable, retrying: 20) { transaction in
                            let rows = try await transaction.query("SELECT count(*) FROM duty WHERE on_call")
                            let others = try #require(rows.first).decode(Int.self, at: 0)
                            try await Task.sleep(for: .milliseconds(20))
                            guard others > 1 else { return }
                            try await transaction.execute("UPDATE duty SET on_call = false WHERE doctor = \(doctor)")
                        }
                    }
                }
                try await group.waitForAll()
            }
            let row = try #require(await database.query("SELECT count(*) FROM duty WHERE on_call").first)
            #expect(try row.decode(Int.self, at: 0) == 1)
        }
    }

    @Test("A read-only transaction refuses to write")
    func aReadOnlyTransactionRefusesToWrite() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let error = try await databaseError {
                try await database.transaction(readOnly: true, retrying: 0) { transaction in
                    var author = Author(name: "Ada")
                    try await transaction.insert(&author)
                }
            }
            #expect(error?.sqlState == "25006")
        }
    }

    @Test("A session that is terminated in a transaction rolls back, and the next call works")
    func aSessionKilledInATransactionRollsBackAndTheNextCallWorks() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let journal = Recorder<String>()
            let error = try await databaseError {
                try await database.transaction { transaction in
                    transaction.onRollback { journal.append("rolled back") }
                    let row = try #require(await transaction.query("SELECT pg_backend_pid()").first)
                    let pid = try row.decode(Int32.self, at: 0)
                    try await database.execute("SELECT pg_terminate_backend(\(pid))")
                    var author = Author(name: "Ada")
                    try await transaction.insert(&author)
                }
            }
            #expect(error?.code == .connectionLost)
            #expect(journal.values == ["rolled back"])
            let count = try await database.count(Author.self)
            #expect(count == 0)
        }
    }

    @Test("A connection that is lost during COMMIT is an unknown outcome and runs no hook")
    func aConnectionLostDuringCommitIsAnUnknownOutcomeAndRunsNoHook() async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TABLE t (n int)")
            try await database.execute(
                """
                CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
                """
            )
            try await database.execute(
                """
                CREATE CONSTRAINT TRIGGER die AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED \
                FOR EACH ROW EXECUTE FUNCTION die()
                """
            )
            let journal = Recorder<String>()
            let error = try await databaseError {
                try await database.transaction { transaction in
                    transaction.onCommit { journal.append("committed") }
                    transaction.onRollback { journal.append("rolled back") }
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(journal.values.isEmpty)
            try await database.execute("SELECT 1")
        }
    }

    @Test("A transaction that is cancelled at a random step either commits or leaves no rows", arguments: 0..<12)
    func cancellationLeavesNothingBehind(_ step: Int) async throws {
        try await withDatabase(poolSize: 1) { database in
            try await database.migrate([Author.migration])
            let journal = Recorder<String>()
            let task = Task {
                try await database.transaction { transaction in
                    transaction.onRollback {
                        // Hooks run although the task was cancelled.
                        journal.append(Task.isCancelled ? "cancelled hook" : "rolled back")
                    }
                    var author = Author(name: "Ada")
                    try await transaction.insert(&author)
                    try await transaction.transaction { try await $0.execute("SELECT pg_sleep(0.02)") }
                }
            }
            try await Task.sleep(for: .milliseconds(step * 3))
            task.cancel()
            let result = await task.result
            let count = try await database.count(Author.self)
            switch result {
            case .success:
                #expect(count == 1)
                #expect(journal.values.isEmpty)
            case .failure(let error):
                #expect(error is CancellationError)
                #expect(count == 0)
                #expect(journal.values.allSatisfy { $0 == "rolled back" })
            }
            #expect(database.statistics.openConnections == 1)
        }
    }
}
