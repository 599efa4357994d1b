import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Tracking columns in migrations", .timeLimit(.minutes(10)))
struct TrackingTests {
    private func migrate(_ app: TestApplication, _ body: @escaping Migration.Body) async throws {
        let name = "step \(StorageName.timeOrderedID())"
        try await app.database.migrate(albumMigrations + [Migration(name, up: body)])
    }

    @Test("Tracking a table with rows condemns nothing, and from then on its files follow its rows")
    func existingTable() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("CREATE TABLE old (id int, scan varchar(200), w int, h int)")
            try await app.database.execute("INSERT INTO old VALUES (1, 'a', 3, 4), (2, 'b', NULL, NULL)")
            for name in ["a", "b"] {
                _ = try await app.papers.upload(.string("x"), to: StorageName(validating: name))
            }
            try await migrate(app) {
                try await $0.trackImage("scan", of: "old", in: .papers, width: "w", height: "h")
            }
            #expect(try await app.journal() == [:])
            try await app.database.execute("UPDATE old SET scan = 'c' WHERE id = 1")
            #expect(try await app.journal() == ["a": "condemned"])
            let row = try await app.database.query("SELECT w FROM old WHERE id = 1").first
            #expect(try row?.decode(Int32?.self, at: 0) == nil)
            await #expect(throws: DatabaseError.self) {
                try await app.database.execute("UPDATE old SET w = 1, h = 0")
            }
            // Again: the triggers are renewed, not doubled.
            try await migrate(app) {
                try await $0.trackImage("scan", of: "old", in: .papers, width: "w", height: "h")
            }
            try await app.database.execute("DELETE FROM old")
            #expect(Set(try await app.journal().keys) == ["a", "b", "c"])
        }
    }

    @Test("Dropping a table condemns its files and leaves nothing of its fields")
    func dropTable() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b"])
            try await migrate(app) { try await $0.drop(table: "albums") }
            #expect(try await app.journal() == ["a": "condemned", "b": "condemned"])
            let left = try await app.database.query(
                """
                SELECT proname::text FROM pg_proc WHERE pronamespace = 'stored_files'::regnamespace \
                AND proname ~ '^(track|forget_size)_[0-9]+$' UNION ALL SELECT 'a field' FROM stored_files.fields
                """
            )
            #expect(left.isEmpty)
            try await app.reapNow()
            #expect(try await app.paperNames() == [])
        }
    }

    @Test("Dropping a column condemns its files, and the other fields go on")
    func dropColumn() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await app.database.execute("UPDATE albums SET cover = 'picture'")
            try await migrate(app) { try await $0.drop(column: "paper", from: "albums") }
            #expect(try await app.journal() == ["a": "condemned"])
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.journal() == ["a": "condemned", "picture": "condemned"])
        }
    }

    @Test("Dropping a size column keeps the image field without sizes")
    func dropSizeColumn() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("INSERT INTO albums (title, cover) VALUES ('x', 'picture')")
            try await migrate(app) { schema in
                try await schema.drop(column: "cover_width", from: "albums")
                try await schema.drop(column: "cover_height", from: "albums")
            }
            #expect(try await app.journal() == [:])
            try await app.database.execute("UPDATE albums SET cover = 'other'")
            #expect(try await app.journal() == ["picture": "condemned"])
        }
    }

    @Test("Renamed columns are still tracked")
    func renameColumns() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await migrate(app) { schema in
                try await schema.rename(column: "paper", of: "albums", to: "document")
                try await schema.rename(column: "cover", of: "albums", to: "front")
                try await schema.rename(column: "cover_width", of: "albums", to: "front \"w\"")
            }
            try await app.database.execute("UPDATE albums SET front = 'x', \"front \"\"w\"\"\" = 2, cover_height = 3")
            try await app.database.execute("UPDATE albums SET front = 'y'")
            let row = try await app.database.query("SELECT cover_height FROM albums").first
            #expect(try row?.decode(Int32?.self, at: 0) == nil)
            try await app.database.execute("UPDATE albums SET document = 'b'")
            try await app.database.execute("TRUNCATE albums")
            #expect(Set(try await app.journal().keys) == ["a", "b", "x", "y"])
            #expect(try await app.reapNow().failed == 0)
        }
    }

    @Test("An untracked column condemns no files")
    func untrack() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await migrate(app) { try await $0.untrack("paper", of: "albums") }
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.journal() == [:])
        }
    }

    @Test("Dropping a partition condemns the files of its rows")
    func dropPartition() async throws {
        try await TestApplication.run { app in
            try await migrate(app) { schema in
                try await schema.execute("CREATE TABLE parts (year int, paper text) PARTITION BY LIST (year)")
                try await schema.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)")
                try await schema.execute("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2)")
                try await schema.track("paper", of: "parts", in: .papers)
            }
            try await app.database.execute("INSERT INTO parts VALUES (1, 'a'), (2, 'b')")
            try await migrate(app) { try await $0.drop(table: "parts_1") }
            #expect(try await app.journal() == ["a": "condemned"])
            try await app.database.execute("DELETE FROM parts")
            #expect(try await app.journal() == ["a": "condemned", "b": "condemned"])
        }
    }

    @Test(
        "Tables, columns and storages whose names need quoting are tracked like others",
        arguments: ["o'clock", "a \"b\" c", "$body$", "%s %1$I", "Ä"]
    )
    func quoting(name: String) async throws {
        try await TestApplication.run { app in
            let url = try await TemporaryPostgres.shared().makeDatabase()
            let database = try await Database.connect(
                url,
                storages: StorageRegistry([StorageID(name): MemoryStorage()])
            )
            try await database.migrate([
                Migration("x") { schema in
                    try await schema.create(table: name) { table in
                        table.identity()
                        table.storedFile(name, in: StorageID(name))
                    }
                }
            ])
            try await database.execute("INSERT INTO \(identifier: name) (\(identifier: name)) VALUES ('a'), ('b')")
            try await database.execute("UPDATE \(identifier: name) SET \(identifier: name) = 'c' WHERE id = 1")
            try await database.execute("TRUNCATE \(identifier: name)")
            let rows = try await database.query(
                """
                SELECT storage, name FROM stored_files.journal UNION ALL \
                SELECT storage, name FROM stored_files.let_go, unnest(names) AS name ORDER BY name
                """
            )
            #expect(try rows.map { try $0.decode(String.self, at: 0) } == [name, name, name])
            #expect(try rows.map { try $0.decode(String.self, at: 1) } == ["a", "b", "c"])
            #expect(
                try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 3
            )
            await database.close()
        }
    }

    @Test("A column that cannot be tracked is refused with an error that names it")
    func refusals() async throws {
        try await TestApplication.run { app in
            for body in [
                { try await $0.track("nothing", of: "albums", in: .papers) },
                { try await $0.track("id", of: "albums", in: .papers) },
                { try await $0.track("paper", of: "albums", in: .pictures) },
                { try await $0.track("paper", of: "nowhere", in: .pictures) },
            ] as [Migration.Body] {
                let error = await #expect(throws: MigrationError.self) { try await migrate(app, body) }
                let text = "\(error?.underlying.map { "\($0)" } ?? "")"
                #expect(
                    text.contains("nothing") || text.contains("id") || text.contains("paper")
                        || text.contains("nowhere")
                )
            }
            await #expect(throws: DatabaseError.self) {
                try await migrate(app) { try await $0.trackImage("cover", of: "albums", in: .papers, width: "w") }
            }
        }
    }

    @Test("Verifying a model reports missing and disabled triggers, and those of another storage")
    func verify() async throws {
        try await TestApplication.run { app in
            try await app.database.verify(Album.self)
            try await app.database.execute("ALTER TABLE albums DISABLE TRIGGER USER")
            let disabled = await #expect(throws: DatabaseError.self) { try await app.database.verify(Album.self) }
            #expect(disabled?.message.contains("paper") == true && disabled?.message.contains("cover") == true)
            try await app.database.execute("ALTER TABLE albums ENABLE TRIGGER USER")
            try await app.database.execute(
                "UPDATE stored_files.fields SET storage = 'attic' WHERE column_name = 'paper'"
            )
            let foreign = await #expect(throws: DatabaseError.self) { try await app.database.verify(Album.self) }
            #expect(foreign?.message.contains("attic") == true)
            try await migrate(app) { try await $0.untrack("cover", of: "albums") }
            let missing = await #expect(throws: DatabaseError.self) { try await app.database.verify(Album.self) }
            #expect(missing?.message.contains("cover") == true && missing?.message.contains("track") == true)
        }
    }

    @Test("Long names of tables and columns get different constraints that PostgreSQL does not cut")
    func longNames() async throws {
        try await TestApplication.run { app in
            let table = String(repeating: "t", count: 60)
            let columns = ["1", "2"].map { String(repeating: "c", count: 60) + $0 }
            try await migrate(app) { schema in
                try await schema.create(table: table) { builder in
                    builder.identity()
                    for column in columns { builder.storedFile(column, in: .papers) }
                }
            }
            let rows = try await app.database.query(
                "SELECT conname::text FROM pg_constraint WHERE conname LIKE '%_names_one_row' AND conname LIKE 't%'"
            )
            #expect(Set(try rows.map { try $0.decode(String.self, at: 0) }).count == 2)
        }
    }
}
