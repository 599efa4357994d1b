import Foundation
import LifecycleTestSupport
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

/// During a deployment programs of the version before work on a database that this version has migrated.
@Suite("Mixed versions", .timeLimit(.minutes(20)))
struct MixedVersionTests {
    private func put(_ name: String, _ app: TestApplication) async throws {
        _ = try await app.papers.upload(.string("of \(name)"), to: StorageName(validating: name))
    }

    private func insert(_ name: String, _ app: TestApplication) async throws {
        try await app.database.execute("INSERT INTO albums (title, paper) VALUES (\(name), \(name))")
    }

    private func expectRefused(_ name: String, _ app: TestApplication, _ comment: Comment? = nil) async throws {
        let refusal = await #expect(throws: DatabaseError.self, comment) { try await insert(name, app) }
        #expect(refusal?.code == .objectInUse, comment)
    }

    /// Returns the names that its reaper takes: other tests of the server have transactions that have to end first.
    private func taken(_ former: FormerStatements, _ app: TestApplication) async throws -> [String] {
        var names: [String] = []
        let isTaken = try await eventually {
            let (taken, revived) = try await former.take()
            names += taken + revived.map { "revived \($0)" }
            return !names.isEmpty
        }
        #expect(isTaken)
        return names
    }

    @Test(
        "A row claims a file that the former version has reserved",
        arguments: [TransactionIsolation.readCommitted, .repeatableRead, .serializable]
    )
    func formerReservations(_ isolation: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            #expect(try await former.reserve("a"))
            #expect(try await former.storage(of: "paper") == "papers")
            try await put("a", app)
            try await former.extend(["a"])
            try await app.reapNow()
            try await app.database.transaction(isolation: isolation) { transaction in
                try await transaction.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
                // Its own compensation leaves what is being claimed alone.
                #expect(try await !former.giveUp("a"))
            }
            expectEqual(try await app.journal(), [:])
            #expect(try await !former.giveUp("a"))
            try await former.mark()
            try await app.reapNow()
            expectEqual(try await app.paperNames(), ["a"])
        }
    }

    @Test("Files that the former version gave up are refused to rows and deleted by either version")
    func formerLeftovers() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            for name in ["given up", "lapsed 1", "lapsed 2", "released"] {
                #expect(try await former.reserve(name, claimPeriod: name.hasPrefix("lapsed") ? -1 : 60))
                try await put(name, app)
            }
            try await former.release("released")
            #expect(try await former.giveUp("given up"))
            try await expectRefused("given up", app)
            try await former.bury(["given up"])
            try await expectRefused("given up", app)
            try await insert("lapsed 1", app)
            #expect(try await app.reapNow().deleted == 1)
            expectEqual(try await app.journal(), ["given up": "deleted", "lapsed 2": "deleted"])
            expectEqual(try await app.paperNames(), ["given up", "lapsed 1", "released"])

            #expect(try await former.reserve("lapsed 3", claimPeriod: -1))
            #expect(try await former.mark() == 1)
            try await expectRefused("lapsed 3", app)
            #expect(try await taken(former, app) == ["lapsed 3"])
            try await former.postpone(["lapsed 3"])
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.journal()["lapsed 3"] == "deleted")
        }
    }

    @Test("The former version leaves files alone that this version has reserved")
    func reservations() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            let file = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            #expect(try await !former.giveUp(file.name.string))
            try await former.release(file.name.string)
            try await former.extend([file.name.string])
            #expect(try await former.mark() == 0)
            #expect(try await former.take().taken == [])
            var album = Album(title: "a")
            album.paper = file
            try await app.database.insert(&album)
            expectEqual(try await app.journal(), [:])
            #expect(try await file.size() == 1)
        }
    }

    @Test("The former version's reaper checks for rows before it deletes condemned files")
    func formerReaper() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            let database = app.database
            try await app.insertPapers(["taken back", "gone", "moved", "named meanwhile"])
            try await database.execute("DELETE FROM albums WHERE paper IN ('taken back', 'gone')")
            try await insert("taken back", app)
            // Condemned, though the row is there under another id.
            try await database.execute(
                """
                WITH gone AS (DELETE FROM albums WHERE paper = 'moved' RETURNING title, paper), \
                came AS (INSERT INTO albums (title, paper) SELECT title, paper FROM gone) SELECT 1
                """
            )
            try await database.execute("DELETE FROM albums WHERE paper = 'named meanwhile'")
            try await database.transaction { writer in
                try await writer.execute("INSERT INTO albums (title, paper) VALUES ('x', 'named meanwhile')")
                try await app.drain()
                #expect(try await former.mark() >= 1)
                try await expectRefused("gone", app)
                // The writer is older than the mark.
                #expect(try await former.take() == ([], []))
            }
            var found: [String] = []
            let isDone = try await eventually {
                let (taken, revived) = try await former.take()
                found += taken + revived.map { "revived \($0)" }
                return found.contains("gone")
            }
            #expect(isDone)
            #expect(found.filter { !$0.hasPrefix("revived") } == ["gone"])
            #expect(try await app.papers.delete([StorageName(validating: "gone")]).isEmpty)
            try await former.bury(["gone"])
            try await expectRefused("gone", app)
            expectEqual(try await app.journal(), ["gone": "deleted"])
            let isForgotten = try await eventually { try await former.takeTombstones() == ["gone"] }
            #expect(isForgotten)
            try await former.forget(["gone"])
            expectEqual(try await app.journal(), [:])
            expectEqual(try await app.paperNames(), ["moved", "named meanwhile", "taken back"])
        }
    }

    @Test("Files of deleted rows wait for the reaper of this version")
    func letGo() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            try await app.database.execute(
                "INSERT INTO albums (title, paper) SELECT 'x', 'n' || i FROM generate_series(1, 1500) AS i"
            )
            try await put("n1", app)
            try await app.database.execute("DELETE FROM albums")
            #expect(try await former.mark() == 0)
            try await insert("n1", app)
            #expect(try await app.reapNow().deleted == 1499)
            expectEqual(try await app.paperNames(), ["n1"])
        }
    }

    @Test("A leftover reservation does not let a row name a file that the former reaper has taken")
    func leftReservation() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            let name = try await app.database.transaction(isolation: .repeatableRead) {
                transaction in
                _ = try await transaction.query("SELECT FROM albums")
                var album = Album(title: "a")
                album.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                try await transaction.insert(&album)
                return try #require(album.paper?.name.string)
            }
            #expect(try await app.journal()[name] == "uploading")
            try await app.database.execute("DELETE FROM albums")
            try await app.drain()
            #expect(try await former.mark() == 1)
            #expect(try await taken(former, app) == [name])
            try await expectRefused(name, app)
        }
    }

    @Test("A row cannot name an upload that the former version has purged")
    func purgedUpload() async throws {
        try await TestApplication.run { app in
            let former = FormerStatements(database: app.database)
            let file = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            #expect(try await former.markForPurge(file.name.string))
            #expect(try await taken(former, app) == [file.name.string])
            try await expectRefused(file.name.string, app)
        }
    }
}

extension MixedVersionTests {
    private static let environment = ProcessInfo.processInfo.environment

    /// Returns the number of rows that have got an id so far.
    private func written(_ database: Database) async throws -> Int64 {
        let rows = try await database.query("SELECT last_value FROM sheets_id_seq")
        return try rows.first?.decode(Int64.self, at: 0) ?? 0
    }

    @Test(
        "Killed processes of the former and this version together lose and leak no files",
        .enabled(
            if: environment["FORMER_WORKER"] != nil,
            "Scripts/mixed-versions builds a former version and runs this"
        )
    )
    func sideBySide() async throws {
        let former = try #require(Self.environment["FORMER_WORKER"])
        let seconds = Self.environment["MIXED_SECONDS"].flatMap { Double($0) } ?? 60
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["synchronous_commit": "on"])
        )
        let scene = try await CrashScene(unmigrated: server, .newFolder())
        defer { scene.remove() }
        func migrate(_ program: String?) async throws {
            let migration = try WorkerProcess([scene.url, scene.place.argument, "migrate"], program: program)
            let status = await migration.waitUntilExit(timeout: .seconds(120))
            #expect(status == .exited(0), "\(program ?? "this version") does not migrate")
        }

        // The former version alone, then this one migrates underneath it.
        try await migrate(former)
        var workers: [(process: WorkerProcess, program: String?)] = []
        func start(_ program: String?) async throws {
            let process = try scene.start(.random(in: 1...999_999), program: program)
            try await process.waitUntilReady()
            workers.append((process, program))
        }
        for _ in 0..<2 { try await start(former) }
        try await Task.sleep(for: .seconds(2))
        try await migrate(nil)
        for worker in workers { #expect(worker.process.isRunning, "the former version ended when this one migrated") }
        // It goes on alone: its rows come. What they let go of waits for this version's reaper.
        let database = try await scene.open()
        let count = try await written(database)
        try await waitUntil("the former version does nothing any more") {
            try await written(database) > count + 20
        }
        try await database.adopt(.sheets)

        let end = ContinuousClock.now + .seconds(seconds)
        var kills = 0
        var files = 0
        while ContinuousClock.now < end {
            for program in [former, nil] {
                while workers.count(where: { $0.program == program }) < 2 { try await start(program) }
            }
            // Five seconds together, each of them killed and started again several times.
            let pause = ContinuousClock.now + .seconds(5)
            while ContinuousClock.now < pause {
                try await Task.sleep(for: .milliseconds(Int.random(in: 50...500)))
                let victim = workers.remove(at: Int.random(in: 0..<workers.count))
                victim.process.kill()
                #expect(await victim.process.waitUntilExit(timeout: .seconds(60)) == .killed)
                kills += 1
                // What starts migrates, as servers do.
                if Bool.random() { try await migrate(victim.program) }
                try await start(victim.program)
            }
            for worker in workers { worker.process.kill() }
            for worker in workers { _ = await worker.process.waitUntilExit(timeout: .seconds(60)) }
            workers = []
            files += try await scene.expectPromises("after \(kills) kills")
        }
        let rows = try await written(database)
        print("MixedVersionTests: \(kills) kills in \(seconds) s, \(rows) rows written, \(files) files looked at")
        await database.close()
        await server.stop()
    }
}
