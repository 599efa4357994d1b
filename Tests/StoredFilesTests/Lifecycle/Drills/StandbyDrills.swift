import NIOConcurrencyHelpers
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoredFiles

extension Drills {
    /// A standby takes over from a primary that died.
    @Suite("Drills of standbys")
    struct Standbys {
        private func makeStandby(_ site: DrillSite, of primary: TemporaryPostgres) async throws -> TemporaryPostgres {
            let settings = ["synchronous_commit": "on"]
            let standby = try await TemporaryPostgres.start(TemporaryPostgres.Configuration(settings: settings)) {
                standby in
                try await site.type(
                    "standby",
                    on: standby,
                    ["PRIMARY": primary.url, "DATA": standby.dataDirectory],
                    asServerUser: true
                )
            }
            try await waitUntil("the standby does not stream") {
                try await primary.answer("SELECT state FROM pg_stat_replication")
                    == "streaming"
            }
            return standby
        }

        private func promote(_ site: DrillSite, _ standby: TemporaryPostgres) async throws -> String {
            let url = standby.url(of: "app")
            #expect(try await site.type("promote", on: standby, ["STANDBY": url]) == "t\n")
            return url
        }

        /// The work that was acknowledged to the writers of a primary that was about to die.
        private struct Acknowledged {
            var saved: Set<String> = []
            var removed: Set<String> = []
            /// Asked for without an answer: either is right.
            var unknown: Set<String> = []
        }

        /// Saves and removes until the server is gone.
        private func write(_ database: Database, _ lane: Int, _ log: NIOLockedValueBox<Acknowledged>) async {
            var number = 0
            while true {
                let title = "\(lane)-\(number)"
                number += 1
                do {
                    try await database.save(title)
                    log.withLockedValue { _ = $0.saved.insert(title) }
                    guard number % 3 == 0 else { continue }
                } catch {
                    log.withLockedValue { _ = $0.unknown.insert(title) }
                    return
                }
                do {
                    try await database.remove(title)
                    log.withLockedValue { log in
                        log.saved.remove(title)
                        log.removed.insert(title)
                    }
                } catch {
                    log.withLockedValue { log in
                        log.saved.remove(title)
                        log.unknown.insert(title)
                    }
                    return
                }
            }
        }

        @Test("A promoted synchronous standby has lost no acknowledged row and no deletion")
        func synchronous() async throws {
            try await DrillSite.run { site in
                let (primary, url, production) = try await site.startProduction()
                let standby = try await makeStandby(site, of: primary)
                try await site.type("synchronous", on: primary, ["PRIMARY": primary.url])
                try await waitUntil("the standby is not synchronous") {
                    try await primary.answer("SELECT sync_state FROM pg_stat_replication") == "sync"
                }
                let log = NIOLockedValueBox(Acknowledged())
                await withTaskGroup(of: Void.self) { group in
                    for lane in 0..<4 { group.addTask { await write(production, lane, log) } }
                    group.addTask {
                        // Until the server is gone.
                        while let report = try? await production.reapAtOnce(), report.refusals.isEmpty {}
                    }
                    group.addTask {
                        try? await waitUntil("nothing is written") { log.withLockedValue { $0.removed.count } >= 40 }
                        try? await primary.kill()
                    }
                }
                await production.close()

                let successor = try await site.open(try await promote(site, standby))
                let acknowledged = log.withLockedValue { $0 }
                let readable = Set(try await successor.readable())
                #expect(acknowledged.removed.count >= 40)
                #expect(acknowledged.saved.isSubset(of: readable))
                #expect(readable.isDisjoint(with: acknowledged.removed))
                #expect(readable.subtracting(acknowledged.saved).isSubset(of: acknowledged.unknown))
                try await successor.adoptAll()
                #expect(try await successor.findings() == [])
                try await successor.reapUnrefused()
                #expect(try await successor.findings() == [])
                try await successor.save("next")

                try await primary.startServer()
                let former = try await site.open(url)
                try await former.expectRefusal("bears the mark of another database")
                await former.close()
                await successor.close()
                await standby.stop()
                await primary.stop()
            }
        }

        @Test("Changes that a promoted standby has not received are found by fsck and repaired")
        func asynchronous() async throws {
            try await DrillSite.run { site in
                let (primary, url, production) = try await site.startProduction()
                let standby = try await makeStandby(site, of: primary)
                for title in ["kept", "deleted", "retained", "older"] {
                    try await production.save(title)
                }
                try await production.save("condemned")
                try await production.remove("condemned")
                let reserved = try await production.store("reserved")
                try await site.type("backup", on: primary, ["PRODUCTION": url])
                try await waitUntil("the standby does not follow") {
                    try await primary.answer("SELECT replay_lsn = pg_current_wal_lsn() FROM pg_stat_replication") == "t"
                }
                // The line is cut, and production goes on.
                try await standby.psql("ALTER SYSTEM SET primary_conninfo = ''", on: standby.url)
                try await standby.psql("SELECT pg_reload_conf()", on: standby.url)
                try await waitUntil("the standby is still connected") {
                    try await primary.answer("SELECT FROM pg_stat_replication")
                        .isEmpty
                }
                try await production.name(reserved.name.string)
                try await production.save("inserted")
                try await production.remove("deleted")
                #expect(try await production.reapUnrefused().deleted == 2)
                var replaced = try #require(try await production.first(Album.self, "WHERE title = 'older'"))
                replaced.paper = try await production.store("newer")
                try await production.update(replaced)
                try await production.remove("retained")
                await production.close()
                try await primary.kill()

                let successor = try await site.open(try await promote(site, standby))
                #expect(
                    try await successor.findings() == ["dangling deleted", "orphan inserted", "orphan newer"]
                )
                // The successor is the same database to the storage: nothing keeps the former primary, if it comes
                // back, from deleting what rows of the successor name.
                try await primary.startServer()
                let unaware = try await site.open(url)
                let retained = try #require(
                    try await successor.first(Album.self, "WHERE title = 'retained'")?.paper?.name
                )
                #expect(try await unaware.purge(retained, in: .papers, waitLimit: .seconds(60)).outcome == .deleted)
                #expect(
                    try await successor.findings() == [
                        "dangling deleted", "dangling retained", "orphan inserted", "orphan newer",
                    ]
                )

                try await successor.adoptAll()
                // What it has found out it believes for a minute.
                for storage in [StorageID.papers, .pictures] {
                    try unaware.lifecycleContext().setOwner(of: storage, until: .now)
                }
                try await unaware.expectRefusal("bears the mark of another database")
                await unaware.close()

                // Files of rows that were deleted come back from the backup, or the rows go.
                try await site.type(
                    "files",
                    on: standby,
                    ["ROWS": standby.url(of: "app"), "WHERE": "title = 'deleted'"]
                )
                try await successor.remove("retained")
                _ = try await files("mend", .papers, in: successor)
                // The client whose row was lost still has the name, as long as its reservation lasts.
                try await successor.name(reserved.name.string)
                try await successor.reapUnrefused()
                #expect(try await successor.findings() == [])
                #expect(try site.stored() == ["deleted", "kept", "older", "reserved"])
                #expect(try await successor.readable() == ["deleted", "kept", "older", "reserved"])
                await successor.close()
                await standby.stop()
                await primary.stop()
            }
        }

        @Test("A physical copy of a server is recognized by the name of its environment")
        func physicalCopy() async throws {
            try await DrillSite.run { site in
                let (primary, url, unnamed) = try await site.startProduction()
                await unnamed.close()
                let production = try await site.open(url, environment: "production")
                try await production.save("kept")
                try await production.save("gone")
                #expect(try await production.reapUnrefused().deleted == 0)
                let copy = try await makeStandby(site, of: primary)
                let staging = try await site.open(try await promote(site, copy), environment: "staging")
                try await staging.remove("kept", "gone")
                try await staging.expectRefusal("belongs to the environment \"production\"")
                try await production.remove("gone")
                #expect(try await production.reapUnrefused().deleted == 1)
                #expect(try await production.readable() == ["kept"])
                await staging.close()
                await production.close()
                await copy.stop()
                await primary.stop()
            }
        }
    }
}
