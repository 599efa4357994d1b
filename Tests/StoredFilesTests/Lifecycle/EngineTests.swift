import Platform
import StoredFiles
import StoredFilesTesting
import Testing

/// Servers that speak PostgreSQL's protocol and keep rows elsewhere.
@Suite("Other database engines", .timeLimit(.minutes(5)))
struct EngineTests {
    /// A catalogue like that of Citus: one server of it cannot be had in a test, what it says of its tables can.
    private func withCitus(
        _ row: SQL,
        _ body: (TestApplication, _ track: @Sendable (TestApplication) async throws -> Void) async throws -> Void
    ) async throws {
        try await TestApplication.run(poolSize: 1) { app in
            try await app.database.execute("SET allow_system_table_mods = on")
            try await app.database.execute(
                """
                CREATE TABLE pg_catalog.pg_dist_partition \
                (logicalrelid regclass, partmethod "char", repmodel "char", colocationid int)
                """
            )
            try await app.database.execute("CREATE TABLE docs (paper text)")
            try await app.database.execute("INSERT INTO pg_catalog.pg_dist_partition \(sql: row)")
            try await body(app) { app in
                try await app.database.migrate(
                    albumMigrations + [Migration("docs") { try await $0.track("paper", of: "docs", in: .papers) }]
                )
            }
        }
    }

    @Test(
        "A table that Citus distributes to other servers is refused by name and not changed",
        arguments: [
            ("h", "c", 1, "distributed by a column"), ("n", "t", 2, "a reference table"),
            ("n", "s", 3, "in a distributed schema"),
        ]
    )
    func distributed(_ method: String, _ model: String, _ colocation: Int32, _ hint: String) async throws {
        try await withCitus(
            "VALUES ('docs', \(method)::text::\"char\", \(model)::text::\"char\", \(colocation))"
        ) { app, track in
            let error = await #expect(throws: MigrationError.self) { try await track(app) }
            let text = error?.underlying.map { "\($0)" } ?? ""
            #expect(text.contains(hint) && text.contains("docs"), "\(text)")
            let triggers = try await app.database.query("SELECT FROM pg_trigger WHERE tgrelid = 'docs'::regclass")
            #expect(triggers.isEmpty)
        }
    }

    @Test("A table that Citus keeps on the coordinator is tracked like any other")
    func local() async throws {
        try await withCitus("VALUES ('docs', 'n', 's', 0)") { app, track in
            try await track(app)
            try await app.database.execute("INSERT INTO docs VALUES ('a')")
            try await app.database.execute("DELETE FROM docs")
            #expect(try await app.journal() == ["a": "condemned"])
        }
    }

    @Test("No function of the schema drops and adds a constraint in one statement, which Citus refuses")
    func constraints() async throws {
        try await TestApplication.run { app in
            let rows = try await app.database.query(
                """
                SELECT proname::text FROM pg_proc WHERE pronamespace = 'stored_files'::regnamespace \
                AND prosrc ~* 'DROP CONSTRAINT[^;]*,\\s*ADD'
                """
            )
            #expect(rows.isEmpty)
        }
    }

    @Test(
        "A server that would distribute the journal's schema is refused before anything is created",
        arguments: [false, true]
    )
    func distributedSchema(hasMigrations: Bool) async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let url = try await TemporaryPostgres.shared().makeDatabase()
            let database = try await Database.connect(
                url,
                storages: StorageRegistry([.papers: MemoryStorage(), .pictures: MemoryStorage()]),
                configuration: {
                    var configuration = DatabaseConfiguration()
                    configuration.poolSize = 1
                    return configuration
                }()
            )
            if hasMigrations {
                // Of an application that had no files.
                let plain = try await Database.connect(url)
                try await plain.migrate([Migration("plain") { try await $0.execute("CREATE TABLE plain (id int)") }])
                await plain.close()
            }
            try await database.execute("SET allow_system_table_mods = on")
            try await database.execute("CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass)")
            try await database.execute("SET citus.enable_schema_based_sharding = 'on'")
            let error = await #expect(throws: MigrationError.self) { try await database.migrate(albumMigrations) }
            #expect(error?.underlying.map { "\($0)" }?.contains("enable_schema_based_sharding") == true)
            let made = try await database.query(
                "SELECT to_regnamespace('stored_files') IS NULL, to_regclass('stored_files.journal') IS NULL"
            ).first
            #expect(try made?.decode(Bool.self, at: 0) == !hasMigrations)
            #expect(try made?.decode(Bool.self, at: 1) == true)
            await database.close()
        }
    }
}
