import Foundation
import Platform
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoredFiles

/// Databases that earlier versions of the library have made, as pg_dump wrote them down.
@Suite("Upgrades", .timeLimit(.minutes(5)))
struct UpgradeTests {
    private func restore(_ dump: String) async throws -> String {
        let server = try await TemporaryPostgres.shared()
        let url = try await server.makeDatabase()
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../../Fixtures/upgrades/\(dump)"
        )
        try await server.psql(try String(contentsOf: file.standardized, encoding: .utf8), on: url)
        return url
    }

    @Test("A database of schema 1 is upgraded with its rows, its journal and its triggers")
    func fromFirst() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let url = try await restore("schema-1.sql")
            let papers = MemoryStorage()
            for name in ["live", "condemned", "marked", "revived", "uploading", "lapsed", "part one", "part two"] {
                _ = try await papers.upload(.string(name), to: StorageName(validating: name))
            }
            let database = try await Database.connect(
                url,
                storages: StorageRegistry([.papers: papers, .pictures: MemoryStorage()])
            )
            #expect(try await database.migrate(albumMigrations + [CatalogueTests.parts]) == [])
            try await database.verify(Album.self)
            // The storage has files, and no mark.
            let refused = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect(refused.deleted == 0 && refused.refusals.count == 1)
            try await database.adopt(.papers)
            let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect(report.refusals.isEmpty)
            #expect(report.deleted == 3 && report.revived == 1)
            var names: [String] = []
            for try await file in papers.list() { names.append(file.name.string) }
            #expect(names == ["live", "part one", "part two", "revived", "uploading"])

            // A reservation of the earlier version is claimed, its tombstone refuses.
            try await database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'uploading')")
            let tombstone = await #expect(throws: DatabaseError.self) {
                try await database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'marked')")
            }
            #expect(tombstone?.code == .objectInUse)
            // Partitions have the new triggers, images forget sizes.
            try await database.execute("UPDATE parts SET paper = 'new' WHERE id = 1")
            try await database.execute("UPDATE albums SET cover = 'covers/b.png' WHERE title = 'image'")
            let size = try await database.query("SELECT cover_width FROM albums WHERE title = 'image'").first
            #expect(try size?.decode(Int32?.self, at: 0) == nil)
            try await database.execute("SELECT stored_files.drain(f.storage, 10) FROM stored_files.fields AS f")
            let journal = try await database.query(
                "SELECT name FROM stored_files.journal WHERE state = 'condemned' ORDER BY name"
            )
            #expect(try journal.map { try $0.decode(String.self, at: 0) } == ["covers/a.png", "part one"])
            await database.close()
        }
    }

    @Test("Statements of the former version still work during a deployment")
    func mixedVersions() async throws {
        try await TestApplication.run { app in
            let database = app.database
            // Its reservation, claim, compensation and reaper, word for word.
            let reserved = try await database.query(
                """
                INSERT INTO stored_files.journal (storage, name, state, lease_until, is_image) \
                SELECT f.storage, 'old', 'uploading', clock_timestamp() + make_interval(secs => 60), false \
                FROM stored_files.fields AS f WHERE f.relation = to_regclass('"albums"') \
                AND f.column_name = 'paper' AND f.storage = 'papers'
                """
            )
            #expect(reserved.affectedRows == 1)
            _ = try await app.papers.upload(.string("x"), to: StorageName(validating: "old"))
            #expect(try await app.reapNow().deleted == 0)
            try await database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'old')")
            #expect(try await app.journal() == [:])
            try await database.execute("DELETE FROM albums")
            try await app.drain()
            try await database.execute(
                """
                UPDATE stored_files.journal SET state = 'deleting', lease_until = clock_timestamp(), attempts = 0, \
                transaction_id = pg_current_xact_id() WHERE name = 'old' AND state = 'condemned'
                """
            )
            let isTaken = try await eventually {
                try await database.query(
                    "SELECT name, is_image, attempts, is_live FROM stored_files.take('papers', 500, interval '5 min', NULL)"
                ).count == 1
            }
            #expect(isTaken)
            try await database.execute(
                """
                UPDATE stored_files.journal SET state = 'deleted', since = clock_timestamp(), lease_until = NULL, \
                last_error = NULL, transaction_id = pg_current_xact_id() WHERE storage = 'papers' AND state = 'deleting'
                """
            )
            let tombstones = try await database.query(
                "SELECT name, is_image FROM stored_files.take_tombstones('papers', 500, interval '0', interval '1 s')"
            )
            #expect(tombstones.count <= 1)
            let named = try await database.query("SELECT n FROM stored_files.named('papers', ARRAY['old']) AS n")
            #expect(named.isEmpty)
            // Its reservations lapse.
            try await database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state, lease_until) \
                VALUES ('papers', 'lapsed', 'uploading', now() - interval '1 s')
                """
            )
            #expect(try await app.reapNow().deleted == 1)
        }
    }

    @Test("The functions of a schema version never change")
    func definitions() {
        let text = JournalSchema.functions.joined(separator: "\n")
        let hash = text.utf8.reduce(UInt64(0xcbf2_9ce4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        // Raise the version in JournalSchema with the next release that changes them, and write the new hash here.
        #expect([JournalSchema.definitions.version: hash] == [2: 15_381_150_487_638_413_440])
    }

    @Test("A program with older functions leaves newer ones alone")
    func newerDefinitions() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                "INSERT INTO stored_files.component_migrations (component, migration) VALUES ('journal', 'definitions 99')"
            )
            try await app.database.execute(
                "COMMENT ON FUNCTION stored_files.origin() IS 'of a later version'"
            )
            try await app.database.execute(
                "DELETE FROM stored_files.component_migrations WHERE migration = 'definitions 2'"
            )
            try await app.database.migrate(albumMigrations)
            let rows = try await app.database.query(
                "SELECT FROM stored_files.component_migrations WHERE migration = 'definitions 2'"
            )
            #expect(rows.isEmpty)
        }
    }
}
