import Foundation
import LifecycleSheets
import NIOCore
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

/// A real process that works with rows and files is killed; whatever it was doing, the promises hold afterwards.
///
/// `CRASH_SEED=… swift test --filter CrashTests` repeats a run's decisions.
@Suite("Killed processes", .serialized, .timeLimit(.minutes(20)))
struct CrashTests {
    enum Kind: String, CaseIterable {
        case folder, bucket
    }

    /// A database, a storage, and what kills and looks.
    private struct Scene {
        let server: TemporaryPostgres
        let url: String
        let place: SheetPlace
        let storage: any Storage

        init(_ server: TemporaryPostgres, _ kind: Kind) async throws {
            self.server = server
            url = try await server.makeDatabase()
            switch kind {
            case .folder:
                let root = FileManager.default.temporaryDirectory.appending(path: "crash-\(UUID().uuidString)").path
                place = .folder(root)
            case .bucket:
                let server = try await TemporaryS3.shared()
                place = .bucket(
                    try await server.makeBucket(),
                    endpoint: server.endpoint,
                    accessKeyID: server.accessKeyID,
                    secretAccessKey: server.secretAccessKey
                )
            }
            storage = try place.makeStorage()
            let database = try await open()
            try await database.migrate(sheetMigrations)
            await database.close()
        }

        func open() async throws -> Database {
            try await Database.connect(url, storages: StorageRegistry([.sheets: storage]))
        }

        func start(_ seed: UInt64, _ failpoint: Failpoint?, occurrence: Int = 1) throws -> WorkerProcess {
            try WorkerProcess([url, place.argument, "\(seed)", failpoint?.rawValue ?? "none", "\(occurrence)"])
        }

        /// No row without its complete bytes, no object without a row, nothing in the journal but tombstones.
        func expectPromises(_ comment: Comment) async throws {
            let database = try await open()
            try await settle(database, comment)
            var named: Set<StorageName> = []
            for sheet in try await database.all(Sheet.self) {
                let file = try #require(sheet.file, comment)
                let expected = try #require(SheetContents(recipe: sheet.recipe), comment)
                do {
                    let bytes = try await file.open().collect(upTo: 16 << 20)
                    #expect(bytes == expected.bytes, "\(comment): \(file) is not what was uploaded")
                } catch let error as StorageError {
                    Issue.record("\(comment): row \(sheet.id ?? 0) names \(file): \(error)")
                }
                named.insert(file.name)
            }
            for try await object in storage.list() {
                #expect(named.contains(object.name), "\(comment): no row names \(object.name)")
            }
            if case .bucket = place {
                let left = try await place.makeS3Storage().abortUploads(olderThan: .distantFuture)
                #expect(left == 0, "\(comment): uploads in parts were left")
            }
            await database.close()
        }

        /// Reaps until there is nothing left to do: reservations and leases of the dead have to run out first.
        private func settle(_ database: Database, _ comment: Comment) async throws {
            for _ in 0..<2000 {
                try await database.reap(ReaperConfiguration(retention: .zero), patience: .seconds(60))
                let rows = try await database.query(
                    """
                    SELECT FROM stored_files.journal WHERE state <> 'deleted' \
                    UNION ALL SELECT FROM stored_files.reservations UNION ALL SELECT FROM stored_files.let_go
                    """
                )
                if rows.isEmpty { return }
                try await Task.sleep(for: .milliseconds(10))
            }
            Issue.record("\(comment): the journal is not empty")
        }

        func remove() {
            if case .folder(let root) = place { try? FileManager.default.removeItem(atPath: root) }
        }
    }

    private static func seed() -> UInt64 {
        let seed = ProcessInfo.processInfo.environment["CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        print("CrashTests: CRASH_SEED=\(seed)")
        return seed
    }

    @Test(
        "A process that dies at a step of the protocol leaves nothing that does not heal",
        arguments: Kind.allCases,
        Failpoint.allCases
    )
    func failpoints(_ kind: Kind, _ failpoint: Failpoint) async throws {
        let seed = Self.seed()
        let scene = try await Scene(.shared(), kind)
        defer { scene.remove() }
        // An S3 server takes its time.
        for occurrence in kind == .folder ? [1, 2, 5] : [1, 3] {
            let worker = try scene.start(seed &+ UInt64(occurrence), failpoint, occurrence: occurrence)
            let status = await worker.waitUntilExit(patience: .seconds(60))
            #expect(status == .killed, "\(failpoint) was not reached \(occurrence) times")
            try await scene.expectPromises("\(failpoint), occurrence \(occurrence), seed \(seed)")
        }
    }

    @Test("Three hundred processes killed at random instants, the server among the victims, lose and leak nothing")
    func randomKills() async throws {
        let seed = Self.seed()
        var generator = SplitMix64(state: seed)
        // What is committed has to survive the server, so its log is written before it answers.
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["synchronous_commit": "on"])
        )
        let scene = try await Scene(server, .folder)
        defer { scene.remove() }
        for round in 0..<100 {
            // Three at a time: they are also in each other's way.
            let workers = try (0..<3).map { try scene.start(generator.next() &+ UInt64($0), nil) }
            for worker in workers { try await worker.waitUntilReady() }
            for worker in workers {
                try await Task.sleep(for: .microseconds(Int.random(in: 0...40_000, using: &generator)))
                if round % 10 == 9, worker === workers[1] {
                    try await server.restart(mode: .immediate)
                }
                worker.kill()
            }
            for worker in workers { #expect(await worker.waitUntilExit(patience: .seconds(60)) == .killed) }
            try await scene.expectPromises("round \(round), seed \(seed)")
        }
        await server.stop()
    }

    @Test("Sixty processes killed at random instants while they work with S3 lose and leak nothing")
    func randomKillsOnS3() async throws {
        let seed = Self.seed()
        var generator = SplitMix64(state: seed)
        let scene = try await Scene(.shared(), .bucket)
        for round in 0..<20 {
            let workers = try (0..<3).map { try scene.start(generator.next() &+ UInt64($0), nil) }
            for worker in workers { try await worker.waitUntilReady() }
            for worker in workers {
                // Long enough for uploads in parts to be begun.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...300_000, using: &generator)))
                worker.kill()
            }
            for worker in workers { #expect(await worker.waitUntilExit(patience: .seconds(60)) == .killed) }
            try await scene.expectPromises("round \(round), seed \(seed)")
        }
    }
}
