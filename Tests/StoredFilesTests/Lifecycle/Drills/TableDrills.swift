import Foundation
import StoredFiles
import StoredFilesTesting
import Testing

extension Drills {
    /// A table or rows that were lost by mistake and come back from last night's dump.
    @Suite("Drills of single tables")
    struct Tables {
        /// Production after its backup: one row came since, one went and its file is there, one went with its file.
        private func prepare(_ site: DrillSite) async throws -> (TemporaryPostgres, String, Database) {
            let (server, url, production) = try await site.startProduction()
            for title in ["a", "b", "gone", "going"] { try await production.save(title) }
            try await site.type("backup", on: server, ["PRODUCTION": url])
            try await production.save("new")
            try await production.remove("gone")
            try await production.reapUnrefused()
            try await production.remove("going")
            return (server, url, production)
        }

        /// Ends in a refusal that says this.
        private func expectRefusal(_ database: Database, _ problem: String, _ remedy: String) async throws {
            let report = try await database.reapAtOnce()
            let error = try #require(report.refusals.first { $0.storage == .papers }?.error as? DatabaseError)
            #expect(error.code == .invalidState && report.deleted == 0)
            #expect("\(error)".contains(problem))
            #expect("\(error)".contains(remedy))
        }

        /// Back to what the dump has: the file that is gone comes from the backup, what came since is an orphan.
        private func heal(_ site: DrillSite, _ server: TemporaryPostgres, _ url: String, _ production: Database)
            async throws
        {
            #expect(try await production.findings() == ["dangling gone", "orphan new"])
            try await site.type("files", on: server, ["ROWS": url, "WHERE": "title = 'gone'"])
            _ = try await files("mend", .papers, in: production)
            try await production.reapUnrefused()
            try await production.reapUnrefused(tombstoneAge: .zero)
            #expect(try await production.readable() == ["a", "b", "going", "gone"])
            #expect(try site.stored() == ["a", "b", "going", "gone"])
            #expect(try await production.findings() == [])
            // And so it goes on.
            try await production.remove("a")
            #expect(try await production.reapUnrefused().deleted == 1)
        }

        @Test("A dropped table stops deletions until it is restored with its triggers")
        func dropped() async throws {
            try await DrillSite.run { site in
                let (server, url, production) = try await prepare(site)
                try await server.psql("DROP TABLE albums", on: url)
                try await expectRefusal(production, "is gone without a migration", "Restore the table and migrate")
                #expect(try site.stored() == ["a", "b", "going", "new"])
                try await site.type("table", on: server, ["PRODUCTION": url])
                try await heal(site, server, url, production)
                try await production.save("next")
                await production.close()
                await server.stop()
            }
        }

        @Test("A table restored without its triggers is refused until a migration tracks it again")
        func withoutTriggers() async throws {
            try await DrillSite.run { site in
                let (server, url, production) = try await prepare(site)
                try await server.psql("DROP TABLE albums", on: url)
                try await site.type("bare table", on: server, ["PRODUCTION": url])
                try await expectRefusal(production, "has lost the triggers", "Migrate, which takes the table in again")
                #expect(try site.stored() == ["a", "b", "going", "new"])
                #expect(try await production.migrate(albumMigrations) == [])
                try await heal(site, server, url, production)
                await production.close()
                await server.stop()
            }
        }

        @Test("Rows restored within the retention have their files")
        func rows() async throws {
            try await DrillSite.run { site in
                let (server, url, production) = try await site.startProduction()
                for title in ["a", "b", "c"] { try await production.save(title) }
                try await site.type("backup", on: server, ["PRODUCTION": url])
                try await server.psql("DELETE FROM albums", on: url)
                // With its usual retention the reaper finds nothing to do yet.
                #expect(try await production.reap().deleted == 0)
                try await site.type("all rows", on: server, ["PRODUCTION": url])
                try await production.reapUnrefused()
                #expect(try await production.readable() == ["a", "b", "c"])
                #expect(try await files("check", .papers, in: production) == "3 objects, 0 orphans, 0 dangling rows")
                await production.close()
                await server.stop()
            }
        }

        @Test("Rows restored after the retention are refused until their files are back and pardoned")
        func rowsWithoutFiles() async throws {
            try await DrillSite.run { site in
                let (server, url, production) = try await site.startProduction()
                for title in ["a", "lost1", "lost2"] { try await production.save(title) }
                try await site.type("backup", on: server, ["PRODUCTION": url])
                try await production.save("new")
                try await server.psql("DELETE FROM albums WHERE title LIKE 'lost%'", on: url)
                #expect(try await production.reapUnrefused().deleted == 2)

                let variables = [
                    "PRODUCTION": url, "RESCUE": try await server.makeDatabase(named: "rescue"),
                    "WHERE": "title LIKE 'lost%'",
                ]
                try await site.type("rescue", on: server, variables)
                let refusal = await #expect(throws: TemporaryServerError.self) {
                    try await site.type("some rows", on: server, variables)
                }
                #expect(refusal?.message.contains("was given up and is being deleted") == true)
                try await site.type(
                    "files",
                    on: server,
                    variables.merging(["ROWS": variables["RESCUE", default: ""]]) { $1 }
                )
                let names = try String(contentsOfFile: "\(site.folder)/backup/names", encoding: .utf8)
                let pardoned = try await files(
                    "pardon",
                    .papers,
                    names: names.split(separator: "\n").map(String.init),
                    in: production
                )
                #expect(pardoned == "2 names can be used again.")
                try await site.type("some rows", on: server, variables)

                try await production.reapUnrefused()
                try await production.reapUnrefused(tombstoneAge: .zero)
                #expect(try await production.readable() == ["a", "lost1", "lost2", "new"])
                #expect(try await production.findings() == [])
                await production.close()
                await server.stop()
            }
        }
    }
}
