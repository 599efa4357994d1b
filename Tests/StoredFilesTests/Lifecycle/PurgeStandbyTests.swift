import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Purging and synchronous standbys", .timeLimit(.minutes(10)))
struct PurgeStandbyTests {
    /// Notes what each transaction that writes to the journal would wait for at its end.
    private func noteSettings(in database: Database) async throws {
        try await database.execute("CREATE TABLE noted (state text, setting text)")
        try await database.execute(
            """
            CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
            INSERT INTO public.noted VALUES (NEW.state, current_setting(''synchronous_commit'')); RETURN NULL; END'
            """
        )
        try await database.execute(
            """
            CREATE TRIGGER note AFTER INSERT OR UPDATE ON stored_files.journal FOR EACH ROW EXECUTE FUNCTION note()
            """
        )
    }

    @Test(
        "Each step of a purge waits for the standbys if requested, and uses the defaults otherwise",
        arguments: [false, true]
    )
    func settings(waits: Bool) async throws {
        try await TestApplication.run { app in
            try await noteSettings(in: app.database)
            let orphan = try StorageName(validating: "orphan")
            _ = try await app.papers.upload(.string("x"), to: orphan)
            let receipt = try await app.database.purge(
                orphan,
                in: .papers,
                waitLimit: .seconds(60),
                waitsForStandbys: waits
            )
            #expect(receipt.outcome == .deleted)
            let rows = try await app.database.query("SELECT DISTINCT state, setting FROM noted ORDER BY state")
            let noted = try rows.map { try [$0.decode(String.self, at: 0), $0.decode(String.self, at: 1)] }
            // The test server waits for nothing, and what decides on files at least for its own disk.
            let settings = waits ? ["remote_apply", "remote_apply", "remote_apply"] : ["local", "off", "local"]
            #expect(noted == zip(["condemned", "deleted", "deleting"], settings).map { [$0, $1] })
            // The setting ended with its transactions.
            let after = try await app.database.query("SELECT current_setting('synchronous_commit')").first
            #expect(try after?.decode(String.self, at: 0) == "off")
        }
    }

    @Test(
        "A purge that waits for standbys removes no file before they have applied it",
        arguments: [false, true]
    )
    func waiting(isKnown: Bool) async throws {
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["synchronous_standby_names": "nobody"])
        )
        let papers = MemoryStorage()
        let database = try await Database.connect(
            try await server.makeDatabase(),
            storages: StorageRegistry([.papers: papers, .pictures: MemoryStorage()])
        )
        try await database.migrate(albumMigrations)
        let name = try StorageName(validating: "orphan")
        if isKnown {
            // Within the reach of the default, which waits for its own server only.
            #expect(try await database.purge(name, in: .papers, waitLimit: .seconds(60)).outcome == .deleted)
        }
        _ = try await papers.upload(.string("x"), to: name)
        let purging = Task {
            try await database.purge(name, in: .papers, waitLimit: .seconds(60), waitsForStandbys: true)
        }
        var waiting = 0
        while waiting == 0 {
            waiting = try await database.query("SELECT FROM pg_stat_activity WHERE wait_event = 'SyncRep'").count
        }
        #expect(try await papers.exists(name))
        try await database.execute("ALTER SYSTEM SET synchronous_standby_names = ''")
        try await database.execute("SELECT pg_reload_conf()")
        #expect(try await purging.value.outcome == .deleted)
        #expect(try await !papers.exists(name))
        await database.close()
        await server.stop()
    }
}
