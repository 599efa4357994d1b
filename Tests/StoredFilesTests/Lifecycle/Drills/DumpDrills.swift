import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

extension Drills {
    /// Copies that pg_dump and pg_restore make.
    @Suite("Drills of dumps")
    struct Dumps {
        @Test(
            "A moved database deletes nothing until it adopts the storages, and its former server refuses"
        )
        func move() async throws {
            try await DrillSite.run { site in
                let (old, url, production) = try await site.startProduction()
                let live = try await production.save("live")
                let buried = try await production.save("buried")
                try await production.remove("buried")
                #expect(try await production.reapUnrefused().deleted == 1)
                // What the dump meets on its way: marked, but somebody is still writing; condemned; reserved.
                try await production.save("marked")
                try await production.remove("marked")
                try await production.transaction { transaction in
                    try await transaction.execute("INSERT INTO albums (title) VALUES ('busy')")
                    let report = try await production.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
                    #expect(report.isWaiting && report.deleted == 0)
                }
                let undone = try await production.save("undone")
                try await production.save("condemned")
                try await production.remove("undone", "condemned")
                let uploaded = try await production.store("uploaded")
                let hasty = try await site.open(url, claimPeriod: .milliseconds(100))
                _ = try await hasty.store("abandoned")
                await hasty.close()
                await production.close()

                let new = try await TemporaryPostgres.start()
                let newURL = try await new.makeDatabase(named: "app")
                try await site.type("move", on: new, ["OLD": url, "NEW": newURL])
                let moved = try await site.open(newURL)
                #expect(try await moved.migrate(albumMigrations) == [])
                try await moved.expectRefusal("a copy, or the original after a move")
                #expect(try await moved.findings() == [])
                let before = ["abandoned", "condemned", "live", "marked", "undone", "uploaded"]
                #expect(try site.stored() == before)

                try await moved.adoptAll()
                // What was on its way in comes in, what was on its way out can be taken back, what is gone cannot.
                try await moved.name(uploaded.name.string)
                try await moved.name(undone)
                let refused = await #expect(throws: DatabaseError.self) { try await moved.name(buried) }
                #expect(refused?.code == .objectInUse)
                try await waitUntil("what nobody names is not deleted") {
                    try await moved.reapUnrefused()
                    return try site.stored() == ["live", "undone", "uploaded"]
                }
                #expect(try await moved.readable() == ["live", "undone", "uploaded"])
                #expect(try await moved.findings() == [])
                #expect(try await moved.reapUnrefused(tombstoneAge: .zero).forgotten == 4)

                // The former server is started again by mistake.
                let former = try await site.open(url)
                try await former.remove("live")
                try await former.expectRefusal("bears the mark of another database")
                #expect(try await files("check", .papers, in: moved) == "3 objects, 0 orphans, 0 dangling rows")
                #expect(try await moved.readable().first == title(of: live))
                await former.close()
                await moved.close()
                await old.stop()
                await new.stop()
            }
        }

        @Test(
            "A staging copy that has production's files in its configuration deletes none of them"
        )
        func staging() async throws {
            try await DrillSite.run { site in
                let (server, url, production) = try await site.startProduction()
                for title in ["a", "b", "c", "undone"] { try await production.save(title) }
                let undone = try #require(
                    try await production.first(Album.self, "WHERE title = 'undone'")?.paper?.name.string
                )
                try await production.remove("undone")
                let uploaded = try await production.store("uploaded")

                let other = try await TemporaryPostgres.start()
                let copyURL = try await other.makeDatabase(named: "staging")
                try await site.type("staging", on: other, ["PRODUCTION": url, "STAGING": copyURL])
                let staging = try await site.open(copyURL)
                // As a release that is tried out does it.
                let release = Migration("2 drop covers") { try await $0.drop(column: "cover", from: "albums") }
                _ = try await staging.migrate(albumMigrations + [release])
                try await staging.execute("DELETE FROM albums WHERE title = 'a'")
                try await staging.execute("TRUNCATE albums")
                try await staging.expectRefusal("a copy, or the original after a move")
                #expect(try site.stored() == ["a", "b", "c", "undone", "uploaded"])
                // A transaction that is rolled back takes its own file with it, and no other.
                struct Stop: Error {}
                await #expect(throws: Stop.self) {
                    try await staging.transaction { transaction in
                        _ = try await transaction.store(.string("x"), named: "mine.txt", for: \Album.$paper)
                        throw Stop()
                    }
                }

                try await production.name(undone)
                try await production.name(uploaded.name.string)
                #expect(try await production.readable() == ["a", "b", "c", "undone", "uploaded"])
                #expect(try await files("check", .papers, in: production) == "5 objects, 0 orphans, 0 dangling rows")

                // What staging keeps lies among production's files, which knows nothing of it.
                try await staging.name(try await staging.store("trial").name.string)
                #expect(try await production.findings() == ["orphan trial"])
                _ = try await files("mend", .papers, in: production)
                #expect(try await production.reapUnrefused().deleted == 1)
                #expect(try await production.findings() == [])
                await staging.close()
                await production.close()
                await server.stop()
                await other.stop()
            }
        }
    }
}
