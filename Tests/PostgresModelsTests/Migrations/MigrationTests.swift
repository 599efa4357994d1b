import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite("Migrations")
struct MigrationTests {
    private static let books = Migration("create books") { schema in
        try await schema.create(table: "books") { table in
            table.uuidIdentity()
            table.column("title", .text, default: "'untitled'")
            table.reference("author", to: "authors", onDelete: .cascade)
            table.check("title <> ''")
            table.index("author", "title")
        }
    } down: { schema in
        try await schema.drop(table: "books")
    }

    @Test("Migrations are applied once and in order")
    func migrationsAreAppliedOnceInOrder() async throws {
        try await withDatabase { database in
            let all = [Author.migration, Self.books]
            #expect(try await database.migrate([Author.migration]) == ["create authors"])
            #expect(try await database.migrate(all) == ["create books"])
            #expect(try await database.migrate(all).isEmpty)
            let status = try await database.migrationStatus(all)
            #expect(status.map(\.name) == ["create authors", "create books"])
            #expect(status.allSatisfy { $0.appliedAt != nil && !$0.isChanged })
        }
    }

    @Test("The status of a database that was never migrated shows nothing applied and changes nothing")
    func statusOfADatabaseThatWasNeverMigratedSaysSoAndChangesNothing() async throws {
        try await withDatabase { database in
            let status = try await database.migrationStatus([Author.migration])
            #expect(status.first?.appliedAt == nil)
            let row = try #require(await database.query("SELECT to_regnamespace('stored_files') IS NULL").first)
            #expect(try row.decode(Bool.self, at: 0))
        }
    }

    @Test("Eight programs that migrate at the same time apply each migration once")
    func eightAtTheSameTimeApplyEachOnce() async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var configuration = DatabaseConfiguration()
                    configuration.poolSize = 1
                    let database = try await Database.connect(url, configuration: configuration)
                    let names = try await database.migrate([Author.migration, Self.books])
                    await database.close()
                    return names
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["create authors", "create books"])
    }

    @Test("A migration that is changed after it was applied stops migrating, and the error names it")
    func aMigrationChangedAfterwardsIsNamedAndNothingIsApplied() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let changed = Migration("create authors") { try await $0.execute("CREATE TABLE authors (id int)") }
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([changed, Self.books])
            }
            #expect(error?.code == .changedAfterApplying)
            #expect(error?.migration == "create authors")
            #expect(try await database.migrationStatus([changed]).first?.isChanged == true)
            #expect(try await database.migrationStatus([Self.books]).first?.appliedAt == nil)
        }
    }

    @Test("A migration that fails is rolled back, and the migrations before it stay applied")
    func aFailureRollsTheWholeMigrationBackAndKeepsThoseBefore() async throws {
        try await withDatabase { database in
            let broken = Migration("broken") { schema in
                try await schema.execute("CREATE TABLE half (n int)")
                try await schema.execute("SELECT 1/0")
            }
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([Author.migration, broken])
            }
            #expect(error?.code == .failed)
            #expect((error?.underlying as? DatabaseError)?.sqlState == "22012")
            let row = try #require(await database.query("SELECT to_regclass('half') IS NULL").first)
            #expect(try row.decode(Bool.self, at: 0))
            let status = try await database.migrationStatus([Author.migration, broken])
            #expect(status.map { $0.appliedAt != nil } == [true, false])
            // The lock was released.
            #expect(try await database.migrate([Author.migration]).isEmpty)
        }
    }

    @Test("A migration outside of a transaction builds an index concurrently while others wait")
    func anIndexIsBuiltConcurrentlyOutsideATransactionWhileAnotherWaits() async throws {
        try await withDatabase { database in
            let index = Migration("index", outsideTransaction: true) { schema in
                try await schema.execute("CREATE INDEX CONCURRENTLY authors_born ON authors (born)")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await database.migrate([Author.migration, index]) }
                }
                try await group.waitForAll()
            }
            let row = try #require(
                await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'authors_born'::regclass")
                    .first
            )
            #expect(try row.decode(Bool.self, at: 0))
        }
    }

    @Test("Reverting undoes the last migration")
    func theLastOneIsReverted() async throws {
        try await withDatabase { database in
            let all = [Author.migration, Self.books]
            try await database.migrate(all)
            #expect(try await database.revert(all) == ["create books"])
            let error = await #expect(throws: MigrationError.self) { try await database.revert(all) }
            #expect(error?.code == .irreversible)
            #expect(try await database.migrate(all) == ["create books"])
        }
    }

    @Test("Two migrations of the same name are refused")
    func twoOfOneNameAreRefused() async throws {
        try await withDatabase { database in
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([Author.migration, Author.migration])
            }
            #expect(error?.code == .duplicateName)
        }
    }

    @Test("A migration that creates a table with a too long name fails")
    func aNameThatIsTooLongIsRefusedWhereItIsWritten() async throws {
        try await withDatabase { database in
            let long = Migration("long") { schema in
                try await schema.create(table: String(repeating: "t", count: 64)) { $0.identity() }
            }
            let error = try await databaseError { try await database.migrate([long]) }
            #expect(error?.code == .invalidIdentifier)
        }
    }

    /// Advisory locks that anybody holds in the database.
    private func advisoryLocks(_ database: Database) async throws -> Int {
        let rows = try await database.query(
            """
            SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database \
            WHERE locktype = 'advisory' AND datname = current_database()
            """
        )
        return try #require(rows.first).decode(Int.self, at: 0)
    }

    @Test("A failed migration releases its advisory lock")
    func theLockIsFreeAfterAFailure() async throws {
        try await withDatabase { database in
            let broken = Migration("broken") { try await $0.execute("SELECT 1/0") }
            await #expect(throws: MigrationError.self) { try await database.migrate([broken]) }
            // Seen from another session.
            let other = try await Database.connect(database.pool.target.conninfo)
            let locks = try await advisoryLocks(other)
            #expect(locks == 0)
            try await other.migrate([Author.migration], timeout: .milliseconds(1))
            await other.close()
        }
    }

    @Test("A cancelled migration releases its advisory lock and its connection")
    func aCancelledMigrationKeepsNoLock() async throws {
        try await withDatabase(poolSize: 2) { database in
            try await database.migrate([Author.migration])
            for round in 0..<60 {
                let task = Task { try await database.migrate([Author.migration]) }
                for _ in 0..<round * 20 { await Task.yield() }
                task.cancel()
                _ = await task.result
            }
            let locks = try await advisoryLocks(database)
            #expect(locks == 0)
            let status = database.statistics
            #expect(status.idleConnections == status.openConnections)
        }
    }

    @Test("A migration whose connection is lost during COMMIT has an unknown outcome and can run again")
    func aConnectionLostDuringTheCommitIsAnUnknownOutcomeAndMigratingAgainFindsOut() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let deadly = Migration("deadly") { schema in
                try await schema.execute(
                    """
                    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
                    $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$
                    """
                )
                try await schema.execute(
                    """
                    CREATE CONSTRAINT TRIGGER die AFTER INSERT ON authors DEFERRABLE INITIALLY DEFERRED \
                    FOR EACH ROW EXECUTE FUNCTION die()
                    """
                )
                try await schema.execute("INSERT INTO authors (name) VALUES ('Ada')")
            }
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([Author.migration, deadly])
            }
            #expect(error?.code == .outcomeUnknown)
            #expect(error?.message.contains("rolled back") == false)
            let harmless = Migration("deadly") { try await $0.execute("SELECT 1") }
            #expect(try await database.migrate([Author.migration, harmless]) == ["deadly"])
        }
    }

    @Test("A migration whose advisory lock is lost is not committed", arguments: [false, true])
    func aMigrationWhoseLockWasLostIsNotCommitted(isFirst: Bool) async throws {
        try await withDatabase { database in
            if !isFirst { try await database.migrate([Author.migration]) }
            let deadly = Migration("deadly") { schema in
                try await schema.execute("CREATE TABLE deadly (n int)")
                try await schema.execute(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database ON pg_database.oid = database \
                    WHERE locktype = 'advisory' AND datname = current_database()
                    """
                )
            }
            let all = isFirst ? [deadly, Author.migration] : [Author.migration, deadly]
            let error = await #expect(throws: MigrationError.self) { try await database.migrate(all) }
            #expect(error?.code == .lockLost)
            let rows = try await database.query("SELECT to_regclass('deadly') IS NULL")
            #expect(try rows.first?.decode(Bool.self, at: 0) == true)
            #expect(try await database.migrationStatus([deadly]).first?.appliedAt == nil)
        }
    }

    @Test("A deferred constraint that fails at the COMMIT fails the migration")
    func aDeferredConstraintThatFailsAtTheCommitIsAFailure() async throws {
        try await withDatabase { database in
            let broken = Migration("broken") { schema in
                try await schema.execute("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
                try await schema.execute("INSERT INTO t VALUES (1), (1)")
            }
            let error = await #expect(throws: MigrationError.self) { try await database.migrate([broken]) }
            #expect(error?.code == .failed)
            #expect((error?.underlying as? DatabaseError)?.code == .uniqueViolation)
        }
    }

    @Test("A migration that cannot lock a table within the lock timeout fails")
    func aLockThatIsNotFreeFailsTheMigrationInsteadOfHoldingUpTheTable() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let more = Migration("more") { try await $0.execute("ALTER TABLE authors ADD COLUMN died int") }
            try await database.transaction { reader in
                try await reader.execute("LOCK TABLE authors IN ACCESS SHARE MODE")
                let error = await #expect(throws: MigrationError.self) {
                    try await database.migrate([Author.migration, more], lockTimeout: .milliseconds(20))
                }
                #expect((error?.underlying as? DatabaseError)?.code == .lockTimeout)
            }
            #expect(try await database.migrate([Author.migration, more], lockTimeout: nil) == ["more"])
        }
    }

    @Test("A migration is not reverted if an unknown one was applied after it")
    func nothingIsRevertedBelowAMigrationThatIsNotKnown() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration, Self.books])
            let newer = Migration("newer") { try await $0.execute("CREATE TABLE newer (n int)") }
            try await database.migrate([Author.migration, Self.books, newer])
            let error = await #expect(throws: MigrationError.self) {
                try await database.revert([Author.migration, Self.books])
            }
            #expect(error?.code == .unknownApplied)
            #expect(error?.migration == "newer")
            let rows = try await database.query("SELECT to_regclass('books') IS NOT NULL")
            #expect(try rows.first?.decode(Bool.self, at: 0) == true)
            #expect(try await database.revert([Author.migration, Self.books], count: 0).isEmpty)
            let negative = try await databaseError { try await database.revert([Self.books], count: -1) }
            #expect(negative?.code == .invalidArgument)
        }
    }
}
