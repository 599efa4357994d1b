import Platform
import StoredFilesTesting
import Testing

@testable import StoredFiles

/// Two databases and one storage: only the one that the storage bears the mark of deletes its files.
@Suite("The owner of a storage", .timeLimit(.minutes(10)))
struct OwnershipTests {
    private struct Scene {
        let papers = MemoryStorage(name: "papers")
        let pictures = MemoryStorage(name: "pictures")

        func open(
            _ url: String,
            environment: String? = nil
        ) async throws -> Database {
            try await Database.connect(
                url,
                storages: StorageRegistry([.papers: papers, .pictures: pictures]),
                lifecycle: LifecycleConfiguration(environment: environment)
            )
        }

        /// A row with its file, and one that is condemned.
        func fill(_ database: Database) async throws {
            for name in ["live", "gone"] {
                _ = try await papers.upload(.string(name), to: StorageName(validating: name))
                try await database.execute("INSERT INTO albums (title, paper) VALUES (\(name), \(name))")
            }
            try await database.execute("DELETE FROM albums WHERE title = 'gone'")
        }

        var names: [String] {
            get async throws {
                var names: [String] = []
                for try await file in papers.list() { names.append(file.name.string) }
                return names
            }
        }
    }

    private func expectRefusal(_ database: Database, _ text: String) async throws {
        let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
        let refusal = report.refusals.first { $0.storage == .papers }
        #expect((refusal?.error as? StorageError)?.code == .notOwner)
        #expect("\(refusal.map { "\($0.error)" } ?? "")".contains(text))
        #expect(report.deleted == 0)
        let purge = await #expect(throws: StorageError.self) {
            try await database.purge(StorageName(validating: "gone"), in: .papers)
        }
        #expect(purge?.code == .notOwner)
        let fsck = await #expect(throws: StorageError.self) {
            try await database.fsck(.papers, FsckConfiguration(repairs: true, minimumAge: .zero)) { _ in }
        }
        #expect(fsck?.code == .notOwner)
    }

    @Test("A copy of a database deletes no files until it adopts the storage, then the original refuses")
    func copy() async throws {
        // A server of its own: a template must have no connections.
        let server = try await TemporaryPostgres.start()
        let scene = Scene()
        let url = try await server.makeDatabase(named: "original")
        var original = try await scene.open(url)
        try await original.migrate(albumMigrations)
        try await scene.fill(original)
        await original.close()
        let copy = try await scene.open(try await server.makeDatabase(named: "staging", template: "original"))
        try await copy.migrate(albumMigrations)
        try await copy.execute("DELETE FROM albums")
        try await expectRefusal(copy, "copy")
        #expect(try await scene.names == ["gone", "live"])
        // Looking costs nothing.
        let summary = try await copy.fsck(.papers, FsckConfiguration(minimumAge: .zero)) { _ in }
        #expect(summary.objects == 2)

        original = try await scene.open(url)
        #expect(try await original.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 1)
        #expect(try await scene.names == ["live"])
        await original.close()

        try await copy.adopt(.papers)
        #expect(try await copy.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 2)
        await copy.close()
        original = try await scene.open(url)
        try await expectRefusal(original, "mark of another database")
        await original.close()
        await server.stop()
    }

    @Test("A database deletes no files of a storage with another mark, or with files but no mark")
    func strangers() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            let scene = Scene()
            let first = try await scene.open(try await server.makeDatabase())
            try await first.migrate(albumMigrations)
            try await scene.fill(first)
            let second = try await scene.open(try await server.makeDatabase())
            try await second.migrate(albumMigrations)
            try await expectRefusal(second, "mark of another database")
            #expect(try await first.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 1)
            await first.close()
            await second.close()

            // Files, and no mark at all: from before, or somebody else's.
            let old = Scene()
            _ = try await old.papers.upload(.string("x"), to: StorageName(validating: "gone"))
            let third = try await old.open(try await server.makeDatabase())
            try await third.migrate(albumMigrations)
            try await expectRefusal(third, "has files")
            try await third.adopt(.papers)
            #expect(
                try await third.purge(StorageName(validating: "gone"), in: .papers, waitLimit: .seconds(60)).outcome
                    == .deleted
            )
            await third.close()
        }
    }

    @Test("A running reaper stops after the batch in which another database adopts the storage")
    func adoptedMeanwhile() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            let scene = Scene()
            let first = try await scene.open(try await server.makeDatabase())
            try await first.migrate(albumMigrations)
            for name in ["a", "b", "c"] {
                _ = try await scene.papers.upload(.string(name), to: StorageName(validating: name))
                try await first.execute("INSERT INTO albums (title, paper) VALUES (\(name), \(name))")
            }
            try await first.execute("DELETE FROM albums")
            let second = try await scene.open(try await server.makeDatabase())
            try await second.migrate(albumMigrations)
            let context = try first.lifecycleContext()
            context.observeSteps { step in
                guard step == .tombstoned else { return }
                try? await second.adopt(.papers)
                // As a minute later.
                context.setOwner(of: .papers, until: .now)
            }
            let configuration = ReaperConfiguration(retention: .zero, batchSize: 1, concurrency: 1)
            var report = ReapReport()
            for _ in 0..<6000 where report.refusals.isEmpty {
                // Transactions of other tests may have to end first.
                report = try await first.reap(configuration, waitLimit: .seconds(60))
            }
            #expect((report.refusals.first?.error as? StorageError)?.code == .notOwner)
            #expect(try await scene.names.count == 2)
            await first.close()
            await second.close()
        }
    }

    @Test("Two databases with two prefixes of one storage each delete their own files")
    func prefixes() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let bucket = MemoryStorage()
            for prefix in ["one", "two"] {
                let storage = PrefixedStorage(prefix: try StorageName(validating: prefix), of: bucket)
                let database = try await Database.connect(
                    try await TemporaryPostgres.shared().makeDatabase(),
                    storages: StorageRegistry([.papers: storage, .pictures: MemoryStorage()])
                )
                try await database.migrate(albumMigrations)
                _ = try await storage.upload(.string("x"), to: StorageName(validating: "a"))
                try await database.execute("INSERT INTO albums (title, paper) VALUES ('a', 'a')")
                try await database.execute("DELETE FROM albums")
                let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
                #expect(report.deleted == 1 && report.refusals.isEmpty)
                await database.close()
            }
        }
    }

    @Test("A copy of the whole server is recognized by the name of its environment")
    func environments() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let scene = Scene()
            let url = try await TemporaryPostgres.shared().makeDatabase()
            let production = try await scene.open(url, environment: "production")
            try await production.migrate(albumMigrations)
            try await scene.fill(production)
            let staging = try await scene.open(url, environment: "staging")
            try await expectRefusal(staging, "environment \"production\"")
            #expect(
                try await production.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 1
            )
            await production.close()
            await staging.close()
        }
    }

    @Test("A deleted ownership mark is restored, and a damaged one is an error")
    func damagedMarks() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let scene = Scene()
            let url = try await TemporaryPostgres.shared().makeDatabase()
            var database = try await scene.open(url)
            try await database.migrate(albumMigrations)
            try await scene.fill(database)
            await database.close()
            let mark = StorageName(unchecked: ".stored-files-owner")
            #expect(try await scene.papers.delete([mark]).isEmpty)
            database = try await scene.open(url)
            #expect(
                try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60)).deleted == 1
            )
            #expect(try await scene.papers.exists(mark))
            await database.close()
            var options = UploadOptions()
            options.ifExists = .replace
            _ = try await scene.papers.upload(.string("hello"), to: mark, options: options)
            database = try await scene.open(url)
            let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
            #expect((report.refusals.first?.error as? StorageError)?.code == .corrupted)
            await database.close()
        }
    }
}
