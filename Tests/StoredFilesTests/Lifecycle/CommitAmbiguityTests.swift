import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

/// A connection that is lost during COMMIT: nobody knows what came of it, so nobody may delete anything.
@Suite("COMMITs without a response", .timeLimit(.minutes(10)))
struct CommitAmbiguityTests {
    private func store(
        in app: (database: Database, storage: MemoryStorage),
        losingTheAnswer lose: (Transaction) async throws -> Void
    ) async throws -> DatabaseError? {
        await #expect(throws: DatabaseError.self) {
            try await app.database.transaction { transaction in
                var album = Album(title: "ambiguous")
                album.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                try await transaction.insert(&album)
                try await lose(transaction)
            }
        }
    }

    private func open(_ server: TemporaryPostgres) async throws -> (database: Database, storage: MemoryStorage) {
        let storage = MemoryStorage()
        let database = try await Database.connect(
            try await server.makeDatabase(),
            storages: StorageRegistry([.papers: storage, .pictures: MemoryStorage()]),
            lifecycle: LifecycleConfiguration(claimPeriod: .milliseconds(100))
        )
        try await database.migrate(albumMigrations)
        return (database, storage)
    }

    private func files(_ storage: MemoryStorage) async throws -> Int {
        var count = 0
        for try await _ in storage.list() { count += 1 }
        return count
    }

    @Test("A file stays if its transaction is committed although the connection is lost")
    func committed() async throws {
        // COMMIT waits for a standby that does not exist: by then the transaction is committed here.
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["synchronous_standby_names": "nobody"])
        )
        let app = try await open(server)
        let killer = Task {
            try await waitUntil("no COMMIT waits for a standby") {
                try await !app.database.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                ).isEmpty
            }
        }
        let error = try await store(in: app) { transaction in
            try await transaction.execute("SET LOCAL synchronous_commit = on")
        }
        try await killer.value
        #expect(error?.code == .outcomeUnknown)
        #expect(try await app.database.count(Album.self) == 1)
        #expect(try await files(app.storage) == 1)
        try await Task.sleep(for: .milliseconds(150))
        let report = try await app.database.reap(ReaperConfiguration(retention: .zero))
        #expect(report.deleted == 0)
        let paper = try #require(try await app.database.first(Album.self)?.paper)
        #expect(try await paper.exists())
        await app.database.close()
        await server.stop()
    }

    @Test("A file of a transaction that is lost during COMMIT is reaped after its reservation ends")
    func notCommitted() async throws {
        let app = try await open(try await TemporaryPostgres.shared())
        try await app.database.execute(
            """
            CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
            'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN NULL; END'
            """
        )
        try await app.database.execute(
            """
            CREATE CONSTRAINT TRIGGER die AFTER INSERT ON albums DEFERRABLE INITIALLY DEFERRED \
            FOR EACH ROW EXECUTE FUNCTION die()
            """
        )
        let error = try await store(in: app) { _ in }
        #expect(error?.code == .outcomeUnknown)
        // The rollback is not known either, so nothing was compensated.
        #expect(try await files(app.storage) == 1)
        #expect(try await app.database.count(Album.self) == 0)
        var deleted = 0
        while deleted == 0 {
            deleted = try await app.database.reap(ReaperConfiguration(retention: .zero)).deleted
        }
        #expect(try await files(app.storage) == 0)
        await app.database.close()
    }
}
