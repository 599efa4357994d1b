import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

/// Tests of what happens to databases in real life: restores, moves to other servers, triggers of others, storages with
/// new ids.
@Suite("The lifecycle protocol in production", .timeLimit(.minutes(10)))
struct ProtocolTests {
    private func age(_ app: TestApplication, _ name: String) async throws {
        try await app.database.execute(
            "UPDATE stored_files.journal SET since = now() - interval '2 days' WHERE name = \(name)"
        )
    }

    /// A name that was deleted, with its tombstone.
    private func bury(_ name: String, in app: TestApplication) async throws {
        try await app.insertPapers([name])
        try await app.database.execute("DELETE FROM albums WHERE title = \(name)")
        #expect(try await app.reapNow().deleted == 1)
    }

    // MARK: Restores

    @Test("A file and a row restored past the triggers are not deleted with the tombstone")
    func restoredPastTheTriggers() async throws {
        try await TestApplication.run { app in
            try await bury("a", in: app)
            _ = try await app.papers.upload(.string("again"), to: StorageName(validating: "a"))
            try await app.database.execute("ALTER TABLE albums DISABLE TRIGGER ALL")
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
            try await app.database.execute("ALTER TABLE albums ENABLE TRIGGER ALL")
            try await age(app, "a")
            // A tombstone stays as long as a transaction anywhere in the cluster is older.
            let isForgotten = try await eventually {
                #expect(try await app.reapNow().forgotten == 0)
                return try await app.journal() == [:]
            }
            #expect(isForgotten)
            #expect(try await app.paperNames() == ["a"])
        }
    }

    @Test("A deleted name can be used again after it is pardoned")
    func pardon() async throws {
        try await TestApplication.run { app in
            try await bury("a", in: app)
            _ = try await app.papers.upload(.string("again"), to: StorageName(validating: "a"))
            let refused = await #expect(throws: DatabaseError.self) {
                try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
            }
            #expect(refused?.code == .objectInUse)
            let names = try ["a", "never"].map { try StorageName(validating: $0) }
            #expect(try await app.database.pardon(names, in: .papers) == 1)
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
            try await app.reapNow()
            #expect(try await app.paperNames() == ["a"])
        }
    }

    @Test(
        "Names that another cluster has marked are deleted, and its tombstones are forgotten",
        arguments: ["other", nil]
    )
    func otherCluster(_ origin: String?) async throws {
        try await TestApplication.run { app in
            for name in ["marked", "dead"] {
                _ = try await app.papers.upload(.string("x"), to: StorageName(validating: name))
            }
            // Ids of transactions that this cluster will not reach for long.
            try await app.database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state, lease_until, transaction_id, origin, since) VALUES \
                ('papers', 'marked', 'deleting', now(), '7011260', \(origin), now()), \
                ('papers', 'dead', 'deleted', NULL, '7011260', \(origin), now() - interval '2 days')
                """
            )
            let report = try await app.reapNow()
            #expect(report.deleted == 1 && report.forgotten == 1 && !report.isWaiting)
            #expect(try await app.paperNames() == [])
        }
    }

    // MARK: Triggers of others

    @Test("The file of a row that another trigger deletes at once is deleted")
    func rowDeletedByATrigger() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                """
                CREATE FUNCTION q() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN DELETE FROM albums WHERE id = NEW.id; RETURN NULL; END'
                """
            )
            try await app.database.execute(
                """
                CREATE TRIGGER q AFTER INSERT ON albums FOR EACH ROW WHEN (NEW.title = 'bad') EXECUTE FUNCTION q()
                """
            )
            let stored = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            var album = Album(title: "bad", paper: stored)
            try await app.database.insert(&album)
            try await app.database.execute("UPDATE stored_files.reservations SET until = now() - interval '1 s'")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }

    @Test(
        "A name that another trigger puts back keeps its file, and the new file is deleted",
        arguments: ["a_back", "z_back"]
    )
    func namePutBack(_ trigger: String) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["old"])
            try await app.database.execute(
                """
                CREATE FUNCTION back() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN UPDATE albums SET paper = OLD.paper WHERE id = NEW.id; RETURN NULL; END'
                """
            )
            try await app.database.execute(
                """
                CREATE TRIGGER \(identifier: trigger) AFTER UPDATE ON albums FOR EACH ROW \
                WHEN (OLD.paper = 'old' AND NEW.paper <> 'old') EXECUTE FUNCTION back()
                """
            )
            let stored = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.database.execute("UPDATE albums SET paper = \(stored.name.string)")
            try await app.database.execute("UPDATE stored_files.reservations SET until = now() - interval '1 s'")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == ["old"])
            #expect(Set(try await app.journal().values) == ["deleted"])
        }
    }

    @Test("A file released by a prepared transaction is deleted after COMMIT PREPARED")
    func twoPhaseCommit() async throws {
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["max_prepared_transactions": "4"])
        )
        let papers = MemoryStorage()
        let database = try await Database.connect(
            try await server.makeDatabase(),
            storages: StorageRegistry([.papers: papers, .pictures: MemoryStorage()])
        )
        try await database.migrate(albumMigrations)
        _ = try await papers.upload(.string("x"), to: StorageName(validating: "a"))
        try await database.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
        try await database.transaction { transaction in
            try await transaction.execute("DELETE FROM albums")
            // Its session has no transaction any more; the COMMIT that follows ends none.
            try await transaction.execute("PREPARE TRANSACTION 'gone'")
        }
        // Prepared: it holds the row, and nothing is known of the file yet.
        #expect(try await database.reap(ReaperConfiguration(retention: .zero)).deleted == 0)
        try await database.execute("COMMIT PREPARED 'gone'")
        #expect(try await database.reap(ReaperConfiguration(retention: .zero)).deleted == 1)
        await database.close()
        await server.stop()
    }

    // MARK: Storages and fields

    @Test(
        "A column that is untracked during an upload keeps all files that its rows name"
    )
    func untrackInFlight() async throws {
        try await TestApplication.run { app in
            let stored = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.insertPapers(["live"])
            try await app.database.execute(
                "INSERT INTO stored_files.journal (storage, name, state) VALUES ('papers', 'live', 'condemned')"
            )
            try await app.database.execute("SELECT stored_files.untrack('albums', 'paper')")
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', \(stored.name.string))")
            #expect(try await app.reapNow().deleted == 0)
            #expect(try await stored.exists())
            #expect(try await app.paperNames().contains("live"))
            // Tracked again it is the same field.
            try await app.database.execute("SELECT stored_files.track('albums', 'paper', 'papers')")
            try await app.database.execute("DELETE FROM albums WHERE title = 'live'")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await stored.exists())
        }
    }

    @Test("A renamed storage keeps its fields, reservations and ownership mark")
    func renameStorage() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b"])
            let stored = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.database.execute("DELETE FROM albums WHERE title = 'a'")
            try await app.database.migrate(
                albumMigrations + [Migration("rename") { try await $0.renameStorage(.papers, to: "documents") }]
            )
            let renamed = try await Database.connect(
                app.url,
                storages: StorageRegistry(["documents": app.papers, .pictures: app.pictures])
            )
            try await renamed.execute("INSERT INTO albums (title, paper) VALUES ('x', \(stored.name.string))")
            #expect(try await app.journal() == ["a": "condemned"])
            let report = try await renamed.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect(report.deleted == 1 && report.refusals.isEmpty)
            // A program that has the former id changes nothing.
            let former = await #expect(throws: StorageError.self) {
                try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            }
            #expect(former?.message.contains("documents") == true)
            let fsck = await #expect(throws: StorageError.self) {
                try await app.database.fsck(.papers, FsckConfiguration(repairs: true, minimumAge: .zero)) { _ in }
            }
            #expect(fsck?.code == .invalidConfiguration)
            #expect(try await app.paperNames().count == 2)
            await renamed.close()
        }
    }

    @Test("A storage whose rows cannot be checked does not keep the reaper from the others")
    func oneBadStorage() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await app.database.execute("DELETE FROM albums")
            try await app.database.execute("CREATE TABLE lost (picture text)")
            try await app.database.execute("SELECT stored_files.track('lost', 'picture', 'pictures', true)")
            try await app.database.execute("DROP TABLE lost")
            let report = try await app.database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect(report.deleted == 1)
            #expect(report.refusals.map(\.storage) == [.pictures])
            // Uploads and reads go on.
            _ = try await app.database.store(.buffer(fixture("32x16.png")), named: "a.png", for: \Album.$cover)
        }
    }

    // MARK: Names

    @Test("An empty name, and one longer than any storage allows, are ignored")
    func foreignNames() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("ALTER TABLE albums DROP CONSTRAINT albums_paper_names_one_row")
            let long = String(repeating: "0123456789abcdef", count: 600)
            for name in ["", long, "a"] {
                try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', \(name))")
            }
            try await app.database.execute("UPDATE albums SET paper = paper || 'b' WHERE paper <> 'a'")
            try await app.database.execute("UPDATE albums SET paper = '' WHERE paper = 'b'")
            try await app.database.execute("DELETE FROM albums")
            #expect(Set(try await app.journal().keys) == ["a", "b"])
            #expect(try await app.reapNow().deleted == 2)
        }
    }

    @Test("A change of case in a case-insensitive column releases the former name")
    func caseInsensitive() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("CREATE EXTENSION citext")
            try await app.database.execute("CREATE TABLE soft (paper citext)")
            try await app.database.execute("SELECT stored_files.track('soft', 'paper', 'papers')")
            try await app.database.execute("INSERT INTO soft VALUES ('Name')")
            try await app.database.execute("UPDATE soft SET paper = 'name'")
            #expect(try await app.journal() == ["Name": "condemned"])
        }
    }

    @Test("Ten thousand names are released, revived and deleted at once")
    func many() async throws {
        try await TestApplication.run { app in
            let database = app.database
            let insert: SQL =
                "INSERT INTO albums (title, paper) SELECT 'x', 'n' || i FROM generate_series(1, 10000) AS i"
            try await database.execute(insert)
            try await database.execute("DELETE FROM albums")
            let parts = try await database.query("SELECT cardinality(names) FROM stored_files.let_go")
            #expect(try parts.map { try $0.decode(Int32.self, at: 0) } == [10_000])
            // The nightly load: the same names again, before anybody has looked.
            try await database.execute(insert)
            let revived = try await app.reapNow()
            #expect(revived.deleted == 0 && revived.revived == 10_000)
            #expect(try await app.journal() == [:])
            try await database.execute("TRUNCATE albums")
            #expect(try await app.reapNow().deleted == 10_000)
            let refused = await #expect(throws: DatabaseError.self) { try await database.execute(insert) }
            #expect(refused?.code == .objectInUse)
        }
    }

    @Test("A hundred thousand names are released in parts of at most a thousand")
    func parts() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                "INSERT INTO albums (title, paper) SELECT 'x', 'n' || i FROM generate_series(1, 100001) AS i"
            )
            try await app.database.execute("DELETE FROM albums")
            let parts = try await app.database.query(
                "SELECT max(cardinality(names)), sum(cardinality(names)) FROM stored_files.let_go"
            ).first
            #expect(try parts?.decode(Int32.self, at: 0) == 1000)
            #expect(try parts?.decode(Int64.self, at: 1) == 100_001)
            // One look moves some ten thousand names, and the next goes on behind it.
            try await app.database.execute("SELECT stored_files.drain('papers', 1000)")
            let moved = try await app.database.query("SELECT count(*) FROM stored_files.journal").first
            #expect(try moved?.decode(Int64.self, at: 0) == 10_000)
        }
    }

    @Test("Either the purge or the row wins if a name is purged and first used at the same time")
    func purgeAgainstTheFirstName() async throws {
        try await TestApplication.run(poolSize: 8) { app in
            for round in 0..<30 {
                let name = try StorageName(validating: "n\(round)")
                _ = try await app.papers.upload(.string("x"), to: name)
                async let purged = app.database.purge(name, in: .papers, waitLimit: .seconds(60))
                async let inserted: Bool = {
                    do {
                        try await app.database.execute(
                            "INSERT INTO albums (title, paper) VALUES ('x', \(name.string))"
                        )
                        return true
                    } catch let error as DatabaseError where error.code == .objectInUse {
                        return false
                    }
                }()
                let (receipt, isNamed) = try await (purged, inserted)
                let outcome = receipt.outcome
                #expect((outcome == .live) == isNamed, "\(round): \(outcome), named: \(isNamed)")
                #expect(try await app.papers.exists(name) == isNamed)
            }
        }
    }

    @Test("Renewing reservations does not wait for a claim")
    func renewal() async throws {
        try await TestApplication.run { app in
            let first = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            let second = try await app.database.store(.string("x"), named: "b.txt", for: \Album.$paper)
            try await app.database.transaction { transaction in
                var album = Album(title: "x", paper: first)
                try await transaction.insert(&album)
                // With a limit on waiting, so that it fails rather than hangs.
                try await app.database.transaction(settings: ["lock_timeout": "5s"]) { beat in
                    _ = try await beat.query(
                        """
                        SELECT stored_files.extend(ARRAY['papers', 'papers'], \
                        ARRAY[\(first.name.string), \(second.name.string)], interval '9 h')
                        """
                    )
                }
            }
            let rows = try await app.database.query(
                "SELECT name FROM stored_files.reservations WHERE until > now() + interval '8 h'"
            )
            #expect(try rows.map { try $0.decode(String.self, at: 0) } == [second.name.string])
        }
    }

    @Test("A claim looks up single names even if its plan was made while the journal was empty")
    func plans() async throws {
        try await TestApplication.run(poolSize: 1) { app in
            let database = app.database
            try await database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'first')")
            try await database.execute("DELETE FROM albums")
            try await database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state) \
                SELECT 'papers', 'j' || i, 'condemned' FROM generate_series(1, 20000) AS i
                """
            )
            func blocks() async throws -> Int64 {
                let rows = try await database.query(
                    """
                    SELECT pg_stat_get_xact_tuples_fetched(c) + pg_stat_get_xact_tuples_returned(c) FROM unnest(ARRAY[ \
                    'stored_files.journal'::regclass, 'stored_files.reservations'::regclass]) AS c ORDER BY 1 DESC
                    """
                )
                return try rows.first?.decode(Int64.self, at: 0) ?? 0
            }
            // What a transaction has read of a table is counted by the server.
            try await database.transaction { transaction in
                for name in 0..<20 {
                    try await transaction.execute("INSERT INTO albums (title, paper) VALUES ('x', \("m\(name)"))")
                    try await transaction.execute("UPDATE albums SET paper = \("u\(name)") WHERE paper = \("m\(name)")")
                }
                try await transaction.execute("DELETE FROM albums")
                let rows = try await transaction.query(
                    """
                    SELECT max(pg_stat_get_xact_tuples_returned(c)) FROM unnest(ARRAY[ \
                    'stored_files.journal'::regclass::oid, 'stored_files.reservations'::regclass::oid]) AS c
                    """
                )
                let read = try rows.first?.decode(Int64.self, at: 0) ?? 0
                #expect(read < 200, "\(read) rows of the journal were read for 41 statements")
            }
        }
    }

    @Test("A role that is allowed to reap can store and reap files without owning any table")
    func roles() async throws {
        try await TestApplication.run { app in
            let role = "app_\(StorageName.timeOrderedID())"
            try await app.database.execute("CREATE ROLE \(identifier: role) LOGIN")
            try await app.database.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON albums TO \(identifier: role)")
            try await app.database.execute("SELECT stored_files.allow(\(role), reaps => true)")
            let url = app.url.replacing("user=app", with: "user=\(role)")
            let database = try await Database.connect(
                url,
                storages: StorageRegistry([.papers: app.papers, .pictures: app.pictures])
            )
            var album = Album(title: "x")
            album.paper = try await database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await database.insert(&album)
            try await database.delete(album)
            let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect(report.deleted == 1, "\(report.refusals)")
            // The trigger functions are nobody's to hang onto a table of his own.
            let error = await #expect(throws: DatabaseError.self) {
                try await database.transaction { transaction in
                    try await transaction.execute("CREATE TEMPORARY TABLE mine (paper text)")
                    try await transaction.execute(
                        """
                        CREATE TRIGGER t AFTER DELETE ON mine REFERENCING OLD TABLE AS old_rows \
                        FOR EACH STATEMENT EXECUTE FUNCTION stored_files.track_delete_1()
                        """
                    )
                }
            }
            #expect(error?.code == .permissionDenied)
            await database.close()
            try await app.database.execute("DROP OWNED BY \(identifier: role)")
            try await app.database.execute("DROP ROLE \(identifier: role)")
        }
    }
}
