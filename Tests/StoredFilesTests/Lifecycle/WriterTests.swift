import StoredFiles
import StoredFilesTesting
import Testing

/// Somebody who writes rows in a way of his own: what he does, and what becomes of the files a, b and c.
struct Writer: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var preparation: [SQL] = []
    let statements: [SQL]
    let condemned: Set<String>
}

@Suite("Writers of rows", .timeLimit(.minutes(10)))
struct WriterTests {
    static let writers: [Writer] = [
        Writer(
            testDescription: "bulk DELETE",
            statements: ["DELETE FROM albums WHERE paper IN ('a', 'b')"],
            condemned: ["a", "b"]
        ),
        Writer(
            testDescription: "UPDATE to NULL and to another name",
            statements: ["UPDATE albums SET paper = CASE paper WHEN 'a' THEN NULL WHEN 'b' THEN 'new' ELSE paper END"],
            condemned: ["a", "b"]
        ),
        Writer(
            testDescription: "UPDATE of another column",
            statements: ["UPDATE albums SET title = 'x'"],
            condemned: []
        ),
        Writer(
            testDescription: "UPDATE through a BEFORE trigger",
            preparation: [
                """
                CREATE FUNCTION clear() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN IF NEW.title = ''clear'' THEN NEW.paper := NULL; END IF; RETURN NEW; END'
                """,
                "CREATE TRIGGER clear BEFORE UPDATE ON albums FOR EACH ROW EXECUTE FUNCTION clear()",
            ],
            statements: ["UPDATE albums SET title = 'clear' WHERE title = 'a'"],
            condemned: ["a"]
        ),
        Writer(
            testDescription: "foreign key that cascades",
            preparation: [
                "CREATE TABLE owners (id int PRIMARY KEY)",
                "INSERT INTO owners VALUES (1), (2)",
                "ALTER TABLE albums ADD COLUMN owner int REFERENCES owners ON DELETE CASCADE",
                "UPDATE albums SET owner = CASE title WHEN 'a' THEN 1 WHEN 'b' THEN 1 ELSE 2 END",
            ],
            statements: ["DELETE FROM owners WHERE id = 1"],
            condemned: ["a", "b"]
        ),
        Writer(
            testDescription: "foreign key that sets the name to NULL",
            preparation: [
                "CREATE TABLE files (name text PRIMARY KEY)",
                "INSERT INTO files SELECT paper FROM albums",
                "ALTER TABLE albums ADD FOREIGN KEY (paper) REFERENCES files ON DELETE SET NULL",
            ],
            statements: ["DELETE FROM files WHERE name = 'c'"],
            condemned: ["c"]
        ),
        Writer(
            testDescription: "MERGE that inserts, updates and deletes",
            statements: [
                """
                MERGE INTO albums AS t USING (VALUES ('a', 'a2'), ('b', NULL), ('d', 'd')) AS s (title, paper)
                ON t.title = s.title
                WHEN MATCHED AND s.paper IS NULL THEN DELETE
                WHEN MATCHED THEN UPDATE SET paper = s.paper
                WHEN NOT MATCHED THEN INSERT (title, paper) VALUES (s.title, s.paper)
                """
            ],
            condemned: ["a", "b"]
        ),
        Writer(
            testDescription: "INSERT ON CONFLICT DO UPDATE",
            preparation: ["ALTER TABLE albums ADD UNIQUE (title)"],
            statements: [
                """
                INSERT INTO albums (title, paper) VALUES ('a', 'a2'), ('d', 'd')
                ON CONFLICT (title) DO UPDATE SET paper = EXCLUDED.paper
                """
            ],
            condemned: ["a"]
        ),
        Writer(
            testDescription: "INSERT ON CONFLICT DO NOTHING",
            preparation: ["ALTER TABLE albums ADD UNIQUE (title)"],
            statements: ["INSERT INTO albums (title, paper) VALUES ('a', 'a2') ON CONFLICT DO NOTHING"],
            condemned: []
        ),
        Writer(testDescription: "TRUNCATE", statements: ["TRUNCATE albums"], condemned: ["a", "b", "c"]),
        Writer(
            testDescription: "TRUNCATE CASCADE of another table",
            preparation: [
                "CREATE TABLE owners (id int PRIMARY KEY)", "ALTER TABLE albums ADD COLUMN owner int REFERENCES owners",
            ],
            statements: ["TRUNCATE owners CASCADE"],
            condemned: ["a", "b", "c"]
        ),
        Writer(
            testDescription: "names that move between rows in one transaction",
            statements: [
                "UPDATE albums SET paper = NULL WHERE title = 'a'",
                "UPDATE albums SET paper = 'a' WHERE title = 'b'",
                "DELETE FROM albums WHERE title = 'c'",
                "INSERT INTO albums (title, paper) VALUES ('d', 'c')",
            ],
            condemned: ["b"]
        ),
        Writer(
            testDescription: "a savepoint that is rolled back",
            statements: [
                "SAVEPOINT s", "DELETE FROM albums", "ROLLBACK TO SAVEPOINT s",
                "DELETE FROM albums WHERE title = 'b'",
            ],
            condemned: ["b"]
        ),
        Writer(
            testDescription: "a writable view",
            preparation: ["CREATE VIEW shown AS SELECT * FROM albums"],
            statements: ["DELETE FROM shown WHERE title = 'a'"],
            condemned: ["a"]
        ),
        Writer(
            testDescription: "data-modifying CTEs",
            statements: [
                """
                WITH gone AS (DELETE FROM albums WHERE title IN ('a', 'b') RETURNING paper)
                UPDATE albums SET paper = NULL WHERE title = 'c'
                """
            ],
            condemned: ["a", "b", "c"]
        ),
        Writer(
            testDescription: "a renamed table",
            statements: ["ALTER TABLE albums RENAME TO records", "TRUNCATE records"],
            condemned: ["a", "b", "c"]
        ),
    ]

    @Test(
        "Exactly the files that rows no longer name are condemned, whatever statement writes the rows",
        arguments: writers
    )
    func condemnsWhatLeaves(_ writer: Writer) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b", "c"])
            for sql in writer.preparation { try await app.database.execute(sql) }
            #expect(try await app.journal() == [:])
            try await app.database.transaction { transaction in
                for sql in writer.statements { try await transaction.execute(sql) }
            }
            let journal = try await app.journal()
            #expect(Set(journal.keys) == writer.condemned)
            #expect(journal.values.allSatisfy { $0 == "condemned" })

            try await app.reapNow()
            #expect(Set(try await app.paperNames()) == Set(["a", "b", "c"]).subtracting(writer.condemned))
        }
    }

    @Test("A transaction that is rolled back condemns and claims nothing", arguments: writers)
    func rollbackChangesNothing(_ writer: Writer) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b", "c"])
            for sql in writer.preparation { try await app.database.execute(sql) }
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { transaction in
                    for sql in writer.statements { try await transaction.execute(sql) }
                    throw CancellationError()
                }
            }
            #expect(try await app.journal() == [:])
            try await app.reapNow()
            #expect(try await app.paperNames() == ["a", "b", "c"])
        }
    }

    @Test("Statements and COPY in psql claim and condemn files")
    func psql() async throws {
        try await TestApplication.run { app in
            let server = try await TemporaryPostgres.shared()
            let claimed = try await app.database.store(.string("x"), named: "x.txt", for: \Album.$paper)
            #expect(try await app.journal() == [claimed.name.string: "uploading"])
            try await server.psql(
                "COPY albums (title, paper) FROM STDIN;\ncopied\t\(claimed.name.string)\nbare\t\\N\n\\.\n",
                on: app.url
            )
            #expect(try await app.journal() == [:])
            #expect(try await app.database.count(Album.self) == 2)
            try await server.psql("DELETE FROM albums WHERE title = 'copied';", on: app.url)
            #expect(try await app.journal() == [claimed.name.string: "condemned"])
        }
    }

    @Test("A row that moves between partitions keeps its file, and deleting it condemns the file")
    func partitions() async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(
                albumMigrations + [
                    Migration("partitions") { schema in
                        try await schema.execute(
                            "CREATE TABLE parts (id int, year int, paper text) PARTITION BY LIST (year)"
                        )
                        try await schema.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)")
                        try await schema.execute("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2)")
                        try await schema.track("paper", of: "parts", in: .papers)
                    }
                ]
            )
            let database = app.database
            try await database.execute("INSERT INTO parts VALUES (1, 1, 'p1'), (2, 1, 'p2'), (3, 2, 'p3')")
            try await database.execute("UPDATE parts SET year = 2 WHERE id = 1")
            #expect(try await app.journal() == [:])
            #expect(try await database.query("SELECT FROM parts_2 WHERE paper = 'p1'").count == 1)
            try await database.execute("UPDATE parts SET year = 1, paper = 'p4' WHERE id = 3")
            #expect(try await app.journal() == ["p3": "condemned"])
            try await database.execute("DELETE FROM parts_1 WHERE id = 2")
            #expect(try await app.journal() == ["p3": "condemned", "p2": "condemned"])
            try await database.execute("TRUNCATE parts_2")
            #expect(Set(try await app.journal().keys) == ["p1", "p2", "p3"])

            // A partition that comes later has triggers at once, but for TRUNCATE, which the next migration adds.
            try await database.execute("CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3)")
            try await database.execute("INSERT INTO parts_3 VALUES (9, 3, 'p9'), (10, 3, 'p10')")
            try await database.execute("DELETE FROM parts_3 WHERE id = 9")
            #expect(try await app.journal()["p9"] == "condemned")
            try await database.migrate(albumMigrations)
            try await database.execute("TRUNCATE parts_3")
            #expect(try await app.journal()["p10"] == "condemned")
        }
    }

    @Test("A session with session_replication_role = replica claims files like any other")
    func replicationRole() async throws {
        try await TestApplication.run { app in
            let stored = try await app.database.store(.string("x"), named: "x.txt", for: \Album.$paper)
            try await app.database.transaction { transaction in
                try await transaction.execute("SET LOCAL session_replication_role = replica")
                try await transaction.execute("INSERT INTO albums (title, paper) VALUES ('x', \(stored.name.string))")
            }
            #expect(try await app.journal() == [:])
            #expect(try await app.reapNow().deleted == 0)
            #expect(try await stored.exists())
        }
    }

    @Test("A row that was written past the triggers keeps its file")
    func disabledTriggers() async throws {
        try await TestApplication.run { app in
            let stored = try await app.database.store(.string("x"), named: "x.txt", for: \Album.$paper)
            try await app.database.execute("ALTER TABLE albums DISABLE TRIGGER ALL")
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', \(stored.name.string))")
            try await app.database.execute("ALTER TABLE albums ENABLE TRIGGER ALL")
            // Nobody claimed it, and its reservation runs out.
            #expect(try await app.journal() == [stored.name.string: "uploading"])
            try await app.database.execute("UPDATE stored_files.reservations SET until = now() - interval '1 s'")
            #expect(try await app.reapNow().deleted == 0)
            #expect(try await stored.exists())
            #expect(try await app.journal() == [:])
        }
    }

    @Test("A role without any rights on the journal claims and condemns through the triggers")
    func roleWithoutRights() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            let role = "writer_\(StorageName.timeOrderedID())"
            try await app.database.execute("CREATE ROLE \(identifier: role)")
            try await app.database.execute("GRANT ALL ON albums TO \(identifier: role)")
            let claimed = try await app.database.store(.string("x"), named: "x.txt", for: \Album.$paper)
            try await app.database.transaction { transaction in
                try await transaction.execute("SET LOCAL ROLE \(identifier: role)")
                try await transaction.execute("UPDATE albums SET paper = \(claimed.name.string)")
            }
            #expect(try await app.journal() == ["a": "condemned"])
        }
    }
}
