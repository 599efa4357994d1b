import Platform
import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

/// The work that the library does for itself, in a database whose defaults and limits are meant for requests.
@Suite("Maintenance work of the library", .timeLimit(.minutes(5)))
struct MaintenanceTests {
    private func knowsTransactionTimeout(_ database: Database) async throws -> Bool {
        try await database.query("SELECT FROM pg_settings WHERE name = 'transaction_timeout'").count == 1
    }

    /// A database that sees with old snapshots, writes nothing and stops everything soon, unless told otherwise.
    private func withStrictDatabase(_ body: (Database) async throws -> Void) async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            let url = try await server.makeDatabase()
            let first = try await Database.connect(url)
            let name = try await first.query("SELECT current_database()::text").first?.decode(String.self, at: 0) ?? ""
            for setting in [
                "default_transaction_isolation = 'repeatable read'", "default_transaction_read_only = on",
                "statement_timeout = '50ms'", "lock_timeout = '50ms'", "idle_in_transaction_session_timeout = '50ms'",
            ] {
                try await first.execute("ALTER DATABASE \(identifier: name) SET \(raw: setting)")
            }
            // Since PostgreSQL 17.
            if try await knowsTransactionTimeout(first) {
                try await first.execute("ALTER DATABASE \(identifier: name) SET transaction_timeout = '50ms'")
            }
            await first.close()
            let database = try await Database.connect(url)
            try await body(database)
            await database.close()
        }
    }

    @Test(
        "A maintenance transaction is read committed, may write, and has no timeouts",
        arguments: [false, true]
    )
    func maintenance(isIndependent: Bool) async throws {
        try await withStrictDatabase { database in
            try await database.maintenanceTransaction(isIndependent: isIndependent) { transaction in
                try await transaction.execute("CREATE TABLE IF NOT EXISTS x (id int)")
                try await transaction.execute("SELECT pg_sleep(0.2)")
                let level = try await transaction.query("SELECT current_setting('transaction_isolation')").first
                #expect(try level?.decode(String.self, at: 0) == "read committed")
                // Longer than the server lets others stay idle.
                try await Task.sleep(for: .milliseconds(200))
                let limits = try await transaction.query(
                    """
                    SELECT name::text FROM pg_settings WHERE setting <> '0' AND name IN ('statement_timeout', \
                    'lock_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
                    """
                )
                #expect(limits.isEmpty)
            }
            // The session is as it was.
            await #expect(throws: DatabaseError.self) { try await database.execute("SELECT pg_sleep(0.2)") }
        }
    }

    @Test("A setting that the server does not know is an error only if the caller asks for it")
    func unknownLimit() async throws {
        try await withDatabase { database in
            try await database.maintenanceTransaction { transaction in _ = try await transaction.query("SELECT 1") }
            let error = try await databaseError {
                try await database.transaction(settings: ["transaction_timeout": "0"]) { _ in }
            }
            let isKnown = try await knowsTransactionTimeout(database)
            #expect((error == nil) == isKnown)
        }
    }

    @Test("A maintenance stream is not stopped by the statement timeout")
    func stream() async throws {
        try await withStrictDatabase { database in
            var count = 0
            for try await _ in database.maintenanceStream("SELECT pg_sleep(0.2)") { count += 1 }
            #expect(count == 1)
            await #expect(throws: DatabaseError.self) {
                for try await _ in database.stream("SELECT pg_sleep(0.2)") {}
            }
        }
    }

    @Test(
        "A migration is not stopped by the statement timeout, in a transaction or outside of one",
        arguments: [false, true]
    )
    func migration(outsideTransaction: Bool) async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            var configuration = DatabaseConfiguration()
            configuration.statementTimeout = .milliseconds(50)
            configuration.poolSize = 1
            let database = try await Database.connect(try await server.makeDatabase(), configuration: configuration)
            try await database.migrate([
                Migration("slow", outsideTransaction: outsideTransaction) {
                    try await $0.execute("SELECT pg_sleep(0.2)")
                }
            ])
            let error = await #expect(throws: DatabaseError.self) { try await database.execute("SELECT pg_sleep(0.2)") }
            #expect(error?.code == .timeout)
            await database.close()
        }
    }

    @Test("The settings of a transaction hold until its end, whatever their values contain")
    func settings() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            var configuration = DatabaseConfiguration()
            configuration.poolSize = 1
            let database = try await Database.connect(try await server.makeDatabase(), configuration: configuration)
            let value = "it's \\ a \"value\"; SELECT 1"
            let found = try await database.transaction(settings: ["app.tenant": value, "work_mem": "1MB"]) {
                transaction in
                try await transaction.query("SELECT current_setting('app.tenant'), current_setting('work_mem')").first
            }
            #expect(try found?.decode(String.self, at: 0) == value)
            #expect(try found?.decode(String.self, at: 1) == "1MB")
            let after = try await database.query("SELECT current_setting('work_mem')").first
            #expect(try after?.decode(String.self, at: 0) != "1MB")
            for name in ["work_mem; DROP TABLE x", "", "a.b.c", "1a", "a b"] {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.transaction(settings: [name: "1"]) { _ in }
                }
                #expect(error?.code == .invalidArgument)
            }
            await database.close()
        }
    }
}
