import Foundation
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

extension Drills {
    /// A server is made again as it was at a moment, from a base backup and the archive of its log.
    @Suite("Drills of a recovery to a point in time")
    struct Recoveries {
        /// Runs a statement by mistake, then what comes after it.
        private func run(
            _ site: DrillSite,
            afterMistake: (Database) async throws -> Void,
            then judge: (Database, TemporaryPostgres) async throws -> Void
        ) async throws {
            let archive = "\(site.folder)/backup/archive"
            let (server, url, production) = try await site.startProduction(settings: [
                "archive_mode": "on",
                "archive_command": "mkdir -p \(archive) && test ! -f \(archive)/%f && cp %p \(archive)/%f",
            ])
            try await production.save("early")
            try await site.type("base backup", on: server, ["PRODUCTION": server.url], asServerUser: true)
            for title in ["a", "lost1", "lost2"] { try await production.save(title) }
            try await production.save("condemned")
            try await production.remove("condemned")
            try await site.type("backup", on: server, ["PRODUCTION": url])
            try await site.type("restore point", on: server, ["PRODUCTION": url])
            try await production.execute("DELETE FROM albums WHERE title LIKE 'lost%'")
            try await production.save("late")
            try await afterMistake(production)
            await production.close()
            let segment = try await site.type("last segment", on: server, ["PRODUCTION": url])
                .trimmingCharacters(in: .whitespacesAndNewlines)
            try await waitUntil("the log is not archived") {
                FileManager.default.fileExists(atPath: "\(archive)/\(segment)")
            }

            let settings = ["synchronous_commit": "on", "archive_mode": "off"]
            let second = try await TemporaryPostgres.start(TemporaryPostgres.Configuration(settings: settings)) {
                second in
                try await site.type("recovery", on: second, ["DATA": second.dataDirectory], asServerUser: true)
            }
            try await waitUntil("the recovery does not end") {
                try await second.answer("SELECT pg_is_in_recovery()")
                    == "f"
            }
            let recovered = try await site.open(second.url(of: "app"))
            try await judge(recovered, second)

            // The former server refuses from now on.
            let former = try await site.open(url)
            try await former.expectRefusal("bears the mark of another database")
            await former.close()
            await recovered.close()
            await second.stop()
            await server.stop()
        }

        @Test("Rows recovered within the retention have their files, and newer files are orphans")
        func withinTheRetention() async throws {
            try await DrillSite.run { site in
                try await run(site) { production in
                    expectEqual(try await production.reap().deleted, 0)
                } then: { recovered, _ in
                    try await recovered.adoptAll()
                    #expect(try await recovered.readable() == ["a", "early", "lost1", "lost2"])
                    #expect(try await recovered.findings() == ["orphan late"])
                    _ = try await files("mend", .papers, in: recovered)
                    #expect(try await recovered.reapUnrefused().deleted == 2)
                    #expect(try site.stored() == ["a", "early", "lost1", "lost2"])
                    #expect(try await recovered.findings() == [])
                }
            }
        }

        @Test("Files missing after the retention are named by fsck and restored from the backup")
        func afterTheRetention() async throws {
            try await DrillSite.run { site in
                try await run(site) { production in
                    expectEqual(try await production.reapUnrefused().deleted, 3)
                } then: { recovered, server in
                    try await recovered.adoptAll()
                    #expect(try await recovered.findings() == ["dangling lost1", "dangling lost2", "orphan late"])
                    try await site.type(
                        "files",
                        on: server,
                        ["ROWS": server.url(of: "app"), "WHERE": "title LIKE 'lost%'"]
                    )
                    #expect(try await recovered.readable() == ["a", "early", "lost1", "lost2"])
                    _ = try await files("mend", .papers, in: recovered)
                    try await recovered.reapUnrefused()
                    #expect(try await recovered.findings() == [])
                    #expect(try site.stored() == ["a", "early", "lost1", "lost2"])
                }
            }
        }
    }
}
