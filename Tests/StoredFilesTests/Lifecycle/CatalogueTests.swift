import StoredFiles
import StoredFilesTesting
import Testing

/// A change that another program makes to a tracked table behind the library's back.
struct Interference: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var preparation: [SQL] = []
    let statements: [SQL]
    /// The error that keeps files from being deleted; `nil` when the change is followed without a word.
    let refusal: String?
    /// The statements that put it right, when something has to.
    var remedy: [SQL] = []
    /// The table of the rows afterwards.
    var table: SQL = "albums"
    var column: SQL = "paper"
}

/// Whoever cannot see which files rows name must not delete any: a table that is renamed is followed, everything else
/// that other programs do is named together with the remedy.
@Suite("Tables that other programs change", .timeLimit(.minutes(10)))
struct CatalogueTests {
    static let interferences: [Interference] = [
        Interference(
            testDescription: "a renamed column",
            statements: ["ALTER TABLE albums RENAME COLUMN paper TO document"],
            refusal: nil,
            column: "document"
        ),
        Interference(
            testDescription: "a column renamed to a name that needs quotes",
            statements: [#"ALTER TABLE albums RENAME COLUMN paper TO "a 100%_""b.""#],
            refusal: nil,
            column: #""a 100%_""b.""#
        ),
        Interference(
            testDescription: "columns that change their names with each other",
            statements: [
                "ALTER TABLE albums RENAME COLUMN paper TO x", "ALTER TABLE albums RENAME COLUMN title TO paper",
                "ALTER TABLE albums RENAME COLUMN x TO title",
            ],
            refusal: nil,
            column: "title"
        ),
        Interference(
            testDescription: "a renamed table",
            statements: ["ALTER TABLE albums RENAME TO records"],
            refusal: nil,
            table: "records"
        ),
        Interference(
            testDescription: "a table in another schema",
            statements: ["CREATE SCHEMA attic", "ALTER TABLE albums SET SCHEMA attic"],
            refusal: nil,
            table: "attic.albums"
        ),
        Interference(
            testDescription: "a column dropped before it, and another added",
            preparation: ["ALTER TABLE albums ADD COLUMN note text"],
            statements: ["ALTER TABLE albums DROP COLUMN title", "ALTER TABLE albums ADD COLUMN title text"],
            refusal: nil
        ),
        Interference(
            testDescription: "a table dropped and restored with its rows, as pg_restore --clean -t does it",
            preparation: ["CREATE TABLE backup AS SELECT * FROM albums"],
            statements: ["DROP TABLE albums", "CREATE TABLE albums AS SELECT * FROM backup"],
            refusal: "has lost the triggers",
            remedy: ["SELECT stored_files.renew()"]
        ),
        Interference(
            testDescription: "a table swapped under its name",
            statements: [
                "CREATE TABLE fresh (LIKE albums INCLUDING ALL)", "INSERT INTO fresh SELECT * FROM albums",
                "ALTER TABLE albums RENAME TO albums_old", "ALTER TABLE fresh RENAME TO albums",
                "TRUNCATE albums_old",
            ],
            refusal: "in its place has no triggers",
            remedy: [
                "SELECT stored_files.track('public.albums', 'paper', 'papers')",
                "SELECT stored_files.track('public.albums', 'cover', 'pictures', true, 'cover_width', 'cover_height')",
            ]
        ),
        Interference(
            testDescription: "a table swapped under its name long after it was renamed",
            statements: [
                "ALTER TABLE albums RENAME TO albums_old", "SELECT stored_files.renew()",
                "CREATE TABLE albums (LIKE albums_old INCLUDING ALL)", "INSERT INTO albums SELECT * FROM albums_old",
                "DELETE FROM albums_old",
            ],
            refusal: "in its place has no triggers",
            remedy: [
                "SELECT stored_files.track('public.albums', 'paper', 'papers')",
                "SELECT stored_files.track('public.albums', 'cover', 'pictures', true, 'cover_width', 'cover_height')",
            ]
        ),
        Interference(
            testDescription: "a catalogue that a restore has lost",
            statements: ["DELETE FROM stored_files.fields"],
            refusal: "stored_files.fields has lost",
            remedy: [
                "SELECT stored_files.track('albums', 'paper', 'papers')",
                "SELECT stored_files.track('albums', 'cover', 'pictures', true, 'cover_width', 'cover_height')",
            ]
        ),
        Interference(
            testDescription: "triggers that were dropped",
            statements: [
                """
                DO $$ DECLARE t text; BEGIN FOR t IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'albums'::regclass \
                AND tgname ~ '^stored_file' LOOP EXECUTE format('DROP TRIGGER %I ON albums', t); END LOOP; END $$
                """
            ],
            refusal: "has lost the triggers",
            remedy: ["SELECT stored_files.renew()"]
        ),
        Interference(
            testDescription: "a table that was dropped while another column of the storage goes on",
            preparation: [
                "CREATE TABLE others (id int, paper text)", "SELECT stored_files.track('others', 'paper', 'papers')",
            ],
            statements: ["DROP TABLE others"],
            refusal: "is gone",
            remedy: [
                """
                SELECT stored_files.forget_field(id) FROM stored_files.fields WHERE table_name = 'others'
                """
            ]
        ),
        Interference(
            testDescription: "a column that was dropped with its triggers",
            preparation: [
                "ALTER TABLE albums ADD COLUMN extra text", "SELECT stored_files.track('albums', 'extra', 'papers')",
            ],
            statements: ["ALTER TABLE albums DROP COLUMN extra CASCADE"],
            refusal: "is gone",
            remedy: [
                "SELECT stored_files.forget_field(id) FROM stored_files.fields WHERE column_name = 'extra'"
            ]
        ),
    ]

    @Test(
        "Files of rows stay when another program changes the table, and the error says what to do",
        arguments: interferences
    )
    func filesStay(_ interference: Interference) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b", "c"])
            for sql in interference.preparation { try await app.database.execute(sql) }
            for sql in interference.statements { try await app.database.execute(sql) }
            // As if somebody had let go of all of them.
            try await app.database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state, since) \
                SELECT 'papers', n, 'condemned', now() - interval '1 day' FROM unnest(ARRAY['a', 'b', 'c']) AS n \
                ON CONFLICT DO NOTHING
                """
            )
            let configuration = ReaperConfiguration(retention: .zero)
            if let refusal = interference.refusal {
                let report = try await app.database.reap(configuration, waitLimit: .seconds(60))
                let text = report.refusals.map { "\($0.error)" }.joined()
                #expect(text.contains(refusal), "\(text)")
                #expect(report.deleted == 0)
                await #expect(throws: DatabaseError.self) {
                    try await app.database.purge(StorageName(validating: "a"), in: .papers)
                }
                await #expect(throws: DatabaseError.self) {
                    try await app.database.fsck(.papers, FsckConfiguration(repairs: true, minimumAge: .zero)) { _ in }
                }
                for sql in interference.remedy { try await app.database.execute(sql) }
            }
            let report = try await app.reapNow()
            #expect(report.deleted == 0)
            #expect(try await app.paperNames() == ["a", "b", "c"])
            let summary = try await app.database.fsck(.papers, FsckConfiguration(repairs: true, minimumAge: .zero)) {
                Issue.record("\($0)")
            }
            #expect(summary.objects == 3)
            // Writes go on, and the triggers follow.
            let table = interference.table
            let column = interference.column
            try await app.database.execute(
                "UPDATE \(sql: table) SET \(sql: column) = NULL WHERE \(sql: column) = 'a'"
            )
            try await app.database.execute("DELETE FROM \(sql: table) WHERE \(sql: column) = 'b'")
            #expect(try await app.journal() == ["a": "condemned", "b": "condemned"])
            try await app.database.execute(
                "UPDATE \(sql: table) SET \(sql: column) = 'a' WHERE \(sql: column) IS NULL"
            )
            #expect(try await app.journal() == ["b": "condemned"])
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == ["a", "c"])
        }
    }

    @Test("A model whose column was renamed and renamed back stores and claims as before")
    func renamedAndBack() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("ALTER TABLE albums RENAME COLUMN paper TO document")
            try await app.database.execute("SELECT stored_files.renew()")
            try await app.database.execute("ALTER TABLE albums RENAME COLUMN document TO paper")
            let stored = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            #expect(try await app.journal() == [stored.name.string: "uploading"])
            var album = Album(title: "x", paper: stored)
            try await app.database.insert(&album)
            #expect(try await app.journal() == [:])
            #expect(try await app.reapNow().deleted == 0)
        }
    }

    @Test("The sizes of a replaced image are cleared in renamed columns, too")
    func renamedSizes() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                "INSERT INTO albums (title, cover, cover_width, cover_height) VALUES ('x', 'a', 3, 4)"
            )
            try await app.database.execute("ALTER TABLE albums RENAME COLUMN cover_width TO w")
            try await app.database.execute("UPDATE albums SET cover = 'b'")
            let row = try await app.database.query("SELECT w, cover_height FROM albums").first
            #expect(try row?.decode(Int32?.self, at: 0) == nil)
            #expect(try row?.decode(Int32?.self, at: 1) == nil)
            try await app.database.execute("SELECT stored_files.renew()")
            try await app.database.execute("UPDATE albums SET w = 5, cover_height = 6")
            try await app.database.execute("UPDATE albums SET cover = 'c'")
            let again = try await app.database.query("SELECT w FROM albums").first
            #expect(try again?.decode(Int32?.self, at: 0) == nil)
        }
    }

    @Test("A tracked column cannot be dropped without CASCADE")
    func droppingTheColumn() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.execute("ALTER TABLE albums DROP COLUMN paper")
            }
            #expect(error?.message.contains("depend") == true)
            try await app.database.execute("ALTER TABLE albums DROP COLUMN paper CASCADE")
            // Writes of the other columns go on.
            try await app.database.execute("INSERT INTO albums (title) VALUES ('x')")
            try await app.database.execute("UPDATE albums SET title = 'y'")
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.paperNames() == ["a"])
        }
    }

    @Test(
        "The rows of a detached partition keep their files, and it is tracked when attached again"
    )
    func detached() async throws {
        try await TestApplication.run { app in
            let database = app.database
            try await makeParts(app)
            for name in ["p1", "p2"] {
                _ = try await app.papers.upload(.string("x"), to: StorageName(validating: name))
            }
            try await database.execute("INSERT INTO parts VALUES (1, 1, 'p1'), (2, 2, 'p2')")
            // One that the catalogue meets in a look at the journal.
            try await database.execute("CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3)")
            _ = try await app.papers.upload(.string("x"), to: StorageName(validating: "p3"))
            try await database.execute("INSERT INTO parts VALUES (3, 3, 'p3')")
            try await app.reapNow()
            try await database.execute("ALTER TABLE parts DETACH PARTITION parts_1")
            try await database.execute("ALTER TABLE parts_1 RENAME TO archive")
            try await database.execute("ALTER TABLE parts DETACH PARTITION parts_3")
            try await database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state, since) \
                SELECT 'papers', n, 'condemned', now() - interval '1 day' FROM unnest(ARRAY['p1', 'p2', 'p3']) AS n
                """
            )
            #expect(try await app.reapNow().deleted == 0)
            let summary = try await database.fsck(.papers, FsckConfiguration(repairs: true, minimumAge: .zero)) {
                Issue.record("\($0)")
            }
            #expect(summary.objects == 3 && summary.rows == 3)
            try await database.execute("ALTER TABLE parts ATTACH PARTITION archive FOR VALUES IN (1)")
            try await database.execute("DELETE FROM parts WHERE id = 1")
            #expect(try await app.journal() == ["p1": "condemned"])
            #expect(try await app.reapNow().deleted == 1)

            // Dropped by a migration, a detached partition lets go of what it names; dropped otherwise nothing is said.
            try await database.migrate(
                albumMigrations + [Self.parts] + [Migration("drop") { try await $0.drop(table: "parts_3") }]
            )
            #expect(try await app.journal()["p3"] == "condemned")
            try await database.execute("DROP TABLE parts_2")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == ["p2"])
        }
    }

    @Test("MERGE that moves rows between partitions claims and condemns files")
    func mergeAcrossPartitions() async throws {
        try await TestApplication.run { app in
            let database = app.database
            try await makeParts(app)
            try await database.execute("CREATE TABLE odd (paper text, junk int, year int, id int)")
            try await database.execute("ALTER TABLE odd DROP COLUMN junk")
            try await database.execute("ALTER TABLE parts ATTACH PARTITION odd FOR VALUES IN (9)")
            try await database.execute("INSERT INTO parts VALUES (1, 1, 'old'), (2, 9, 'odd')")
            let reserved = try await database.query(
                """
                SELECT stored_files.reserve('papers', 'new', 'parts'::regclass, 'paper', interval '1 h', false)
                """
            )
            #expect(try reserved.first?.decode(String.self, at: 0) == "papers")
            try await database.execute(
                """
                MERGE INTO parts AS t USING (VALUES (1, 2, 'new')) AS s (id, year, paper) ON t.id = s.id \
                WHEN MATCHED THEN UPDATE SET year = s.year, paper = s.paper
                """
            )
            #expect(try await app.journal() == ["old": "condemned"])
            try await database.execute("UPDATE parts SET paper = 'odd 2' WHERE id = 2")
            try await database.execute("UPDATE parts SET year = 1 WHERE id = 2")
            #expect(Set(try await app.journal().keys) == ["old", "odd"])
            try await app.drain()
            try await database.execute("UPDATE stored_files.journal SET state = 'deleted' WHERE name = 'old'")
            let error = await #expect(throws: DatabaseError.self) {
                try await database.execute(
                    """
                    MERGE INTO parts AS t USING (VALUES (1, 1, 'old')) AS s (id, year, paper) ON t.id = s.id \
                    WHEN MATCHED THEN UPDATE SET year = s.year, paper = s.paper
                    """
                )
            }
            #expect(error?.code == .objectInUse)
        }
    }

    @Test("A table with foreign partitions can be tracked and written")
    func foreignPartitions() async throws {
        try await TestApplication.run { app in
            let database = app.database
            let there = try await TemporaryPostgres.shared().makeDatabase()
            let other = try await Database.connect(there)
            try await other.execute("CREATE TABLE far (id int, year int, paper text)")
            let name = try await other.query("SELECT current_database()::text, current_setting('port')").first
            await other.close()
            let socket = try await database.query("SELECT current_setting('unix_socket_directories')").first
            try await makeParts(app)
            try await database.execute("CREATE EXTENSION postgres_fdw")
            try await database.execute(
                """
                CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS \
                (host '\(raw: try socket?.decode(String.self, at: 0) ?? "")', \
                dbname '\(raw: try name?.decode(String.self, at: 0) ?? "")', \
                port '\(raw: try name?.decode(String.self, at: 1) ?? "")')
                """
            )
            try await database.execute("CREATE USER MAPPING FOR CURRENT_USER SERVER far OPTIONS (user 'app')")
            try await database.execute(
                "CREATE FOREIGN TABLE parts_far PARTITION OF parts FOR VALUES IN (7) SERVER far OPTIONS (table_name 'far')"
            )
            try await database.execute("INSERT INTO parts VALUES (1, 7, 'f1'), (2, 1, 'p1')")
            try await database.execute("UPDATE parts SET paper = 'f2' WHERE id = 1")
            try await database.execute("DELETE FROM parts WHERE id = 2")
            #expect(try await app.journal() == ["f1": "condemned", "p1": "condemned"])
            try await database.migrate(albumMigrations + [Self.parts])
            #expect(try await app.reapNow().deleted == 2)
        }
    }

    static let parts = Migration("partitions") { schema in
        try await schema.execute("CREATE TABLE parts (id int, year int, paper text) PARTITION BY LIST (year)")
        try await schema.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)")
        try await schema.execute("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES IN (2)")
        try await schema.track("paper", of: "parts", in: .papers)
    }

    private func makeParts(_ app: TestApplication) async throws {
        try await app.database.migrate(albumMigrations + [Self.parts])
    }

    @Test("A table that triggers cannot follow is refused with the reason")
    func refusals() async throws {
        try await TestApplication.run { app in
            let database = app.database
            try await makeParts(app)
            try await database.execute("CREATE UNLOGGED TABLE quick (paper text)")
            try await database.execute("CREATE VIEW shown AS SELECT * FROM albums")
            try await database.execute("CREATE TABLE numbers (paper uuid)")
            for (table, hint) in [
                ("parts_1", "is a partition of public.parts"), ("quick", "unlogged"), ("shown", "no ordinary"),
                ("numbers", "no column \"paper\" of type text"),
            ] {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.execute("SELECT stored_files.track(\(table)::regclass, 'paper', 'papers')")
                }
                #expect(error?.message.contains(hint) == true, "\(error?.message ?? "")")
            }
            // In one session: a temporary table is another's.
            await #expect(throws: DatabaseError.self) {
                try await database.transaction { transaction in
                    try await transaction.execute("CREATE TEMPORARY TABLE mine (paper text)")
                    try await transaction.execute("SELECT stored_files.track('mine', 'paper', 'papers')")
                }
            }
        }
    }

    @Test("Verifying names a tracked table that became a partition of an untracked one")
    func untrackedParent() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                """
                CREATE TABLE every (id bigint, title text NOT NULL, paper text, cover text, cover_width int, \
                cover_height int) PARTITION BY LIST (title)
                """
            )
            try await app.database.execute("ALTER TABLE albums ALTER id DROP IDENTITY")
            try await app.database.execute("ALTER TABLE every ATTACH PARTITION albums DEFAULT")
            let error = await #expect(throws: DatabaseError.self) { try await app.database.verify(Album.self) }
            #expect(error?.message.contains("every") == true)
        }
    }
}
