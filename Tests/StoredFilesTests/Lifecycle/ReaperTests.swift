import NIOConcurrencyHelpers
import NIOCore
import Platform
import ServiceLifecycle
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoredFiles

@Suite("The reaper", .timeLimit(.minutes(10)))
struct ReaperTests {
    /// Rows by the thousand that name files of a storage, and the files.
    private func fill(_ app: TestApplication, _ count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in 0..<8 {
                group.addTask {
                    for number in stride(from: part, to: count, by: 8) {
                        let name = try StorageName(validating: "many/\(number)")
                        _ = try await app.papers.upload(.string("x"), to: name, options: .init(ifExists: .fail))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await app.database.execute(
            """
            INSERT INTO albums (title, paper) SELECT 'many', 'many/' || i FROM generate_series(0, \(count - 1)) AS i
            """
        )
    }

    @Test("Four reapers delete ten thousand condemned files once each")
    func fourReapers() async throws {
        try await TestApplication.run(poolSize: 12) { app in
            try await fill(app, 10_000)
            try await app.database.execute("DELETE FROM albums")
            let reports = try await withThrowingTaskGroup(of: ReapReport.self) { group in
                for _ in 0..<4 { group.addTask { try await app.reapNow() } }
                return try await group.reduce(into: [ReapReport]()) { $0.append($1) }
            }
            #expect(reports.map(\.deleted).reduce(0, +) == 10_000)
            #expect(reports.map(\.failed).reduce(0, +) == 0)
            let asked = app.papers.calls.filter { $0.operation == .delete }.flatMap(\.names)
            #expect(asked.count == 10_000)
            #expect(Set(asked).count == 10_000)
            #expect(try await app.paperNames() == [])
            #expect(try await app.states().allSatisfy { $0 == "deleted" })
        }
    }

    @Test("Deletions that a storage refuses are retried with growing pauses until they succeed")
    func refusingStorage() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b", "c"])
            try await app.database.execute("DELETE FROM albums")
            let down = StorageError(.unavailable, "down")
            app.papers.inject(.error(down), into: .delete, times: 2)
            // Long: one look at the journal may be several, when a transaction elsewhere has to be waited for.
            let patient = ReaperConfiguration(retention: .zero, batchSize: 10, backoff: .seconds(600))
            let first = try await app.reapNow(patient)
            #expect(first.failed == 3 && first.deleted == 0)
            #expect(first.failures.allSatisfy { $0.attempts == 1 && ($0.error as? StorageError)?.code == .unavailable })
            let row = try await app.database.query(
                "SELECT attempts, last_error, lease_until IS NOT NULL AS later FROM stored_files.journal"
            ).first
            #expect(try row?.decode(Int32.self, named: "attempts") == 1)
            #expect(try row?.decode(String.self, named: "last_error").contains("down") == true)
            #expect(try row?.decode(Bool.self, named: "later") == true)

            try await app.database.execute("UPDATE stored_files.journal SET lease_until = now()")
            let eager = ReaperConfiguration(retention: .zero, batchSize: 10, backoff: .milliseconds(1))
            let isDrained = try await eventually {
                _ = try await app.reapNow(eager)
                return try await app.paperNames().isEmpty
            }
            #expect(isDrained)
            #expect(app.papers.count(of: .delete) == 3)
            #expect(try await app.states().allSatisfy { $0 == "deleted" })
        }
    }

    @Test("The pause before the next attempt to delete a file doubles up to an hour")
    func backoff() {
        let configuration = ReaperConfiguration(backoff: .seconds(1))
        for (attempts, expected) in [(1, 1.0), (2, 2), (5, 16), (12, 2048), (13, 3600), (100, 3600)] {
            let seconds = configuration.delay(after: attempts).inSeconds
            #expect(seconds >= expected * 0.74 && seconds <= expected * 1.26)
        }
    }

    @Test("One file that cannot be deleted does not keep the reaper from the others")
    func oneFails() async throws {
        let stubborn = StubbornStorage(MemoryStorage(), name: "b")
        let database = try await Database.connect(
            try await TemporaryPostgres.shared().makeDatabase(),
            storages: StorageRegistry([.papers: stubborn, .pictures: MemoryStorage()])
        )
        try await database.migrate(albumMigrations)
        for name in ["a", "b", "c"] {
            _ = try await stubborn.upload(.string("x"), to: StorageName(validating: name))
            try await database.execute("INSERT INTO albums (title, paper) VALUES ('x', \(name))")
        }
        try await database.execute("DELETE FROM albums")
        let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
        #expect(report.deleted == 2 && report.failed == 1)
        #expect(report.failures.first?.name.string == "b")
        await database.close()
    }

    @Test("Files stay for the retention period after their rows are deleted")
    func retention() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.reapNow(ReaperConfiguration()).deleted == 0)
            #expect(try await app.paperNames() == ["a"])
            try await app.database.execute("UPDATE stored_files.journal SET since = now() - interval '61 minutes'")
            #expect(try await app.reapNow(ReaperConfiguration()).deleted == 1)
        }
    }

    @Test("A file that arrives after its deletion is deleted with the tombstone")
    func lateArrival() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.reapNow().deleted == 1)
            // The request of an upload that was given up long ago.
            _ = try await app.papers.upload(.string("late"), to: StorageName(validating: "a"))
            #expect(try await app.reapNow().forgotten == 0)
            let isForgotten = try await eventually {
                try await app.reapNow(ReaperConfiguration(tombstoneAge: .zero)).forgotten == 1
            }
            #expect(isForgotten)
            #expect(try await app.paperNames() == [])
            #expect(try await app.journal() == [:])
        }
    }

    @Test("A reaper takes over an expired lease, but not a running one")
    func takeOver() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            try await app.database.execute("DELETE FROM albums")
            try await app.drain()
            try await app.database.execute(
                """
                UPDATE stored_files.journal SET state = 'deleting', attempts = 1, transaction_id = NULL, \
                lease_until = now() + interval '1 h'
                """
            )
            #expect(try await app.reapNow().deleted == 0)
            try await app.database.execute("UPDATE stored_files.journal SET lease_until = now()")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }

    @Test("The variants of an image are deleted with it, and no other files")
    func variants() async throws {
        try await TestApplication.run { app in
            var album = Album(title: "x")
            album.cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            try await app.database.insert(&album)
            let name = try #require(album.cover?.name.string)
            for other in ["\(name).variants/fit-8x8.png", "\(name).variants/large/x", "\(name).variantsx", "\(name)2"] {
                _ = try await app.pictures.upload(.string("x"), to: StorageName(validating: other))
            }
            try await app.database.delete(album)
            try await app.reapNow()
            let left = try await app.names(in: app.pictures).map(\.string)
            #expect(
                left
                    == ["\(name)2", "\(name).variantsx"].sorted {
                        Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8))
                    }
            )
        }
    }

    @Test("An invalid name in a column does not stop the reaper")
    func invalidName() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', '../../etc/passwd')")
            try await app.database.execute("DELETE FROM albums")
            #expect(try await app.reapNow().failed == 0)
            #expect(try await app.journal() == ["../../etc/passwd": "deleted"])
            let asked = app.papers.calls.filter { $0.operation == .delete }.flatMap(\.names)
            #expect(asked.isEmpty)
        }
    }

    @Test("A table that hides rows from the reaper's role causes an error instead of a deletion")
    func rowLevelSecurity() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            let role = "reaper_\(StorageName.timeOrderedID())"
            try await app.database.execute("CREATE ROLE \(identifier: role)")
            try await app.database.execute("GRANT USAGE ON SCHEMA stored_files TO \(identifier: role)")
            try await app.database.execute("GRANT ALL ON ALL TABLES IN SCHEMA stored_files TO \(identifier: role)")
            try await app.database.execute("GRANT SELECT ON albums TO \(identifier: role)")
            try await app.database.execute("ALTER TABLE albums ENABLE ROW LEVEL SECURITY")
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.transaction { transaction in
                    try await transaction.execute("SET LOCAL ROLE \(identifier: role)")
                    _ = try await transaction.query("SELECT stored_files.named('papers', ARRAY['a'])")
                }
            }
            #expect(error?.code == .permissionDenied)
        }
    }

    @Test("The reaper service deletes files soon after their rows, and ends with a graceful shutdown")
    func service() async throws {
        try await TestApplication.run(poolSize: 8) { app in
            try await app.insertPapers(["a", "b"])
            let configuration = ReaperConfiguration(retention: .zero, interval: .milliseconds(100))
            let group = ServiceGroup(
                services: [Reaper(app.database, configuration: configuration)],
                logger: app.database.logger
            )
            async let running: Void = group.run()
            try await app.database.execute("SELECT 1")
            try await Task.sleep(for: .milliseconds(200))
            try await app.database.execute("DELETE FROM albums WHERE title = 'a'")
            #expect(try await eventually { try await app.paperNames() == ["b"] })
            try await app.database.execute("DELETE FROM albums WHERE title = 'b'")
            #expect(try await eventually { try await app.paperNames() == [] })
            await group.triggerGracefulShutdown()
            try await running
        }
    }

    @Test("The reaper service pauses for its interval after each pass")
    func pauses() async throws {
        try await TestApplication.run(poolSize: 8) { app in
            let configuration = ReaperConfiguration(interval: .milliseconds(250))
            let task = Task { try await Reaper(app.database, configuration: configuration).run() }
            try await Task.sleep(for: .seconds(1))
            let before = app.database.statistics.statements
            try await Task.sleep(for: .seconds(2))
            // Eight passes at the most; without pauses there are hundreds.
            let count = app.database.statistics.statements - before
            #expect(count < 150, "\(count) statements in two seconds")
            task.cancel()
            _ = await task.result
        }
    }

    @Test("Cancelling the reaper service ends it")
    func cancelledService() async throws {
        try await TestApplication.run(poolSize: 8) { app in
            let task = Task { try await Reaper(app.database).run() }
            try await Task.sleep(for: .milliseconds(50))
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    @Test("A purge deletes at once a file that no row names, and keeps one that a row names")
    func purge() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b"])
            let a = try StorageName(validating: "a")
            #expect(try await app.database.purge(a, in: .papers).outcome == .live)
            #expect(try await app.paperNames() == ["a", "b"])
            try await app.database.execute("DELETE FROM albums WHERE title = 'a'")
            #expect(try await app.database.purge(a, in: .papers, waitLimit: .seconds(60)).outcome == .deleted)
            #expect(try await app.paperNames() == ["b"])
            #expect(try await app.journal() == ["a": "deleted"])
            #expect(try await app.database.purge(a, in: .papers).outcome == .deleted)

            // An orphan that the journal has never heard of.
            let orphan = try StorageName(validating: "orphan")
            _ = try await app.papers.upload(.string("x"), to: orphan)
            #expect(try await app.database.purge(orphan, in: .papers, waitLimit: .seconds(60)).outcome == .deleted)
            #expect(try await app.paperNames() == ["b"])
        }
    }

    @Test("A purge of a file that a running transaction may name waits, then leaves it to the reaper")
    func purgeWaits() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a"])
            let a = try StorageName(validating: "a")
            try await app.database.transaction { transaction in
                try await transaction.execute("UPDATE albums SET title = 'busy'")
                try await transaction.execute("SELECT pg_current_xact_id()")
                try await app.database.execute(
                    "INSERT INTO stored_files.journal (storage, name, state) VALUES ('papers', 'b', 'condemned')"
                )
                let b = try StorageName(validating: "b")
                #expect(
                    try await app.database.purge(b, in: .papers, waitLimit: .milliseconds(50)).outcome == .pending
                )
                #expect(try await app.database.purge(a, in: .papers).outcome == .live)
            }
            #expect(try await app.reapNow().deleted == 1)
        }
    }
}

/// Does not delete one name.
private struct StubbornStorage: ForwardingStorage {
    let base: MemoryStorage
    let stubborn: String

    init(_ base: MemoryStorage, name: String) {
        self.base = base
        stubborn = name
    }

    func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
        try await base.delete(names.filter { $0.string != stubborn })
            + names.filter { $0.string == stubborn }
            .map { DeletionFailure(name: $0, error: StorageError(.permissionDenied, "No.", name: $0)) }
    }
}
