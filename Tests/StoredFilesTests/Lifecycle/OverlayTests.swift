import Foundation
import NIOCore
import Platform
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

/// A copy of a database whose storages lie over those of production.
@Suite("A copy of a database over production's storages", .timeLimit(.minutes(10)))
struct OverlayTests {
    /// The storages of the files of one database.
    private struct Place: Sendable {
        let papers: any Storage
        let pictures: any Storage

        init(inFolder folder: URL?, _ name: String) throws {
            func storage(_ kind: String) throws -> any Storage {
                guard let folder else { return MemoryStorage(name: "\(name) \(kind)") }
                return try FileSystemStorage(root: folder.appending(path: "\(name)/\(kind)").path, durability: .none)
            }
            papers = try storage("papers")
            pictures = try storage("pictures")
        }

        var registry: StorageRegistry { StorageRegistry([.papers: papers, .pictures: pictures]) }

        /// Everything there, by its name; the marks, too.
        var contents: [String: ByteBuffer] {
            get async throws {
                var contents: [String: ByteBuffer] = [:]
                for (kind, storage) in [("papers", papers), ("pictures", pictures)] {
                    var names = [try StorageName(validating: ".stored-files-owner")]
                    for try await file in storage.list() { names.append(file.name) }
                    for name in names {
                        contents["\(kind)/\(name)"] = try await storage.open(name).collect(upTo: 1 << 20)
                    }
                }
                return contents
            }
        }
    }

    private struct Scene {
        let production: Place
        let staging: Place
        /// Production's storages as staging has them: whatever would change them fails.
        let papers: FaultyStorage
        let pictures: FaultyStorage
        let overlay: OverlayStorage
        let registry: StorageRegistry

        init(folder: URL?) throws {
            production = try Place(inFolder: folder, "production")
            staging = try Place(inFolder: folder, "staging")
            func readOnly(_ storage: any Storage) -> FaultyStorage {
                FaultyStorage(storage) { call, _ in
                    Self.reads.contains(call.operation)
                        ? nil : .error(StorageError(.permissionDenied, "Production is only read."))
                }
            }
            papers = readOnly(production.papers)
            pictures = readOnly(production.pictures)
            overlay = try OverlayStorage(upper: staging.papers, lower: papers)
            registry = StorageRegistry([
                .papers: overlay, .pictures: try OverlayStorage(upper: staging.pictures, lower: pictures),
            ])
        }

        private static let reads: Set<FaultyStorage.Operation> = [.open, .read, .info, .url, .list]

        /// The calls by which staging has tried to change production.
        var writes: [FaultyStorage.Call] {
            (papers.calls + pictures.calls).filter { !Self.reads.contains($0.operation) }
        }
    }

    private func add(_ title: String, to database: Database) async throws -> Album {
        var album = Album(title: title)
        album.paper = try await database.store(.string("of \(title)"), named: "\(title).txt", for: \Album.$paper)
        album.cover = try await database.store(.buffer(fixture("32x16.png")), named: "c.png", for: \Album.$cover)
        try await database.insert(&album)
        return album
    }

    private func row(_ title: String, _ database: Database) async throws -> Album {
        try #require(try await database.all(Album.self, "WHERE title = \(title)").first)
    }

    private func expectOpens(_ album: Album?, _ text: String, _ database: Database) async throws {
        let found = try await database.find(Album.self, #require(album?.id))
        let paper = try #require(found?.paper)
        let contents = try await paper.open().collect(upTo: 1 << 20)
        #expect(String(buffer: contents) == text)
        let cover = try #require(found?.cover)
        #expect(try await cover.file.open().collect(upTo: 1 << 20) == fixture("32x16.png"))
        #expect(try await cover.dimensions() == PixelSize(width: 32, height: 16))
    }

    private func fsck(_ database: Database, _ storage: StorageID, repairs: Bool = true) async throws -> [String] {
        var found: [String] = []
        try await database.fsck(storage, FsckConfiguration(repairs: repairs, minimumAge: .zero)) { finding in
            switch finding {
            case .orphan(let file): found.append("orphan \(file.name)")
            case .danglingRow(let reference): found.append("dangling \(reference.name)")
            case .wrongSize(let reference, _, _): found.append("size \(reference.name)")
            }
        }
        return found
    }

    private func reap(_ database: Database) async throws -> Int {
        let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
        for refusal in report.refusals { throw refusal.error }
        #expect(report.failures.isEmpty)
        return report.deleted
    }

    @Test("A copy of a database over production's storages in memory leaves production unchanged")
    func inMemory() async throws {
        try await run(Scene(folder: nil))
    }

    @Test("A copy of a database over production's files in folders leaves production unchanged")
    func inTheFileSystem() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "overlay-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await run(Scene(folder: folder))
    }

    @Test("The limit for orphans counts only the files of the upper storage of an overlay")
    func orphanLimit() async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            // Listed, and not there: to store so many takes a while.
            let below = ListedStorage(count: 25_000)
            let overlay = try OverlayStorage(upper: MemoryStorage(), lower: below)
            let database = try await Database.connect(
                try await TemporaryPostgres.shared().makeDatabase(),
                storages: StorageRegistry([.papers: overlay, .pictures: MemoryStorage()])
            )
            try await database.migrate(albumMigrations)
            for number in 0..<1100 {
                _ = try await overlay.upper.upload(.string("x"), to: StorageName(validating: "own/\(number)"))
            }
            try await database.adopt(.papers)
            let error = await #expect(throws: StorageError.self) { try await fsck(database, .papers) }
            #expect(error?.code == .preconditionFailed)
            #expect("\(error.map { "\($0)" } ?? "")".contains("of the 1100 objects"))
            await database.close()
        }
    }

    private func run(_ scene: Scene) async throws {
        // A server of its own: a template must have no connections.
        let server = try await TemporaryPostgres.start()
        let url = try await server.makeDatabase(named: "production")
        var production = try await Database.connect(url, storages: scene.production.registry)
        try await production.migrate(albumMigrations)
        var albums: [String: Album] = [:]
        for title in ["kept", "deleted", "replaced", "purged", "copied", "condemned"] {
            albums[title] = try await add(title, to: production)
        }
        try await production.execute("DELETE FROM albums WHERE title = 'condemned'")
        // What no row names, in numbers that fsck would think about.
        for number in 0..<30 {
            let name = try StorageName(validating: "stray/\(number)")
            _ = try await scene.production.papers.upload(.string("stray"), to: name)
        }
        await production.close()
        let before = try await scene.production.contents

        let stagingURL = try await server.makeDatabase(named: "staging", template: "production")
        let staging = try await Database.connect(stagingURL, storages: scene.registry)
        try await staging.migrate(albumMigrations)
        for title in ["kept", "deleted", "replaced", "purged", "copied"] {
            try await expectOpens(albums[title], "of \(title)", staging)
        }
        let refused = await #expect(throws: StorageError.self) { try await reap(staging) }
        #expect(refused?.code == .notOwner)
        try await staging.adopt(.papers)
        try await staging.adopt(.pictures)
        for storage in [StorageID.papers, .pictures] { #expect(try await fsck(staging, storage) == []) }
        #expect(try await scene.staging.papers.list().first { _ in true } == nil)

        // Deletes, replaces, purges, copies, stores.
        let deleted = try #require(albums["deleted"]?.paper?.name)
        let old = try #require(albums["replaced"]?.paper?.name)
        let purged = try #require(albums["purged"]?.paper?.name)
        let condemned = try #require(albums["condemned"]?.paper?.name)
        try await staging.execute("DELETE FROM albums WHERE title IN ('deleted', 'purged')")
        var replaced = try await row("replaced", staging)
        replaced.paper = try await staging.store(.string("new"), named: "new.txt", for: \Album.$paper)
        try await staging.update(replaced)
        let receipt = try await staging.purge(purged, in: .papers, waitLimit: .seconds(60))
        #expect(receipt.outcome == .deleted && receipt.files.map(\.isInherited) == [true])
        var twin = try await row("copied", staging)
        twin.id = nil
        twin.paper = try await staging.copy(twin.paper, for: \Album.$paper)
        twin.cover = try await staging.copy(twin.cover, for: \Album.$cover)
        try await staging.insert(&twin)
        let new = try await add("added", to: staging)
        let gone = try await add("gone", to: staging)
        try await staging.execute("DELETE FROM albums WHERE title = 'gone'")
        // Papers: deleted, replaced, condemned, gone. Pictures: deleted, purged, condemned, gone.
        #expect(try await reap(staging) == 8)
        for name in [deleted, old, purged, condemned, try #require(gone.paper?.name)] {
            #expect(try await !scene.overlay.exists(name))
        }
        for (album, text) in [(replaced, "new"), (twin, "of copied"), (new, "of added")] {
            try await expectOpens(album, text, staging)
        }
        for title in ["kept", "copied"] { try await expectOpens(albums[title], "of \(title)", staging) }

        // Of what no row names only what is staging's own is mended; what a row names in neither is found.
        _ = try await scene.overlay.upload(.string("x"), to: StorageName(validating: "orphan"))
        try await staging.execute("INSERT INTO albums (title, paper) VALUES ('x', 'nobody'), ('x', 'stray/7')")
        #expect(Set(try await fsck(staging, .papers)) == ["orphan orphan", "dangling nobody"])
        #expect(try await reap(staging) == 1)
        try await staging.execute("DELETE FROM albums WHERE title = 'x'")
        #expect(try await reap(staging) == 2)
        for storage in [StorageID.papers, .pictures] { #expect(try await fsck(staging, storage) == []) }
        #expect(try await !scene.overlay.exists(StorageName(validating: "stray/7")))
        #expect(try await scene.overlay.exists(StorageName(validating: "stray/8")))
        await staging.close()

        #expect(scene.writes == [])
        #expect(try await scene.production.contents == before)
        production = try await Database.connect(url, storages: scene.production.registry)
        for title in ["kept", "deleted", "replaced", "purged", "copied"] {
            try await expectOpens(albums[title], "of \(title)", production)
        }
        // Its own reaper goes on.
        #expect(try await reap(production) == 2)
        await production.close()
        await server.stop()
    }
}

/// A storage in memory that lists more files than it has.
private struct ListedStorage: ForwardingStorage {
    let base = MemoryStorage()
    let count: Int

    init(count: Int) {
        self.count = count
    }

    var location: StorageLocation? { StorageLocation(of: base) }

    func list(prefix: String) -> FileListing {
        FileListing(
            AsyncStream { continuation in
                for number in 0..<count {
                    guard let name = try? StorageName(validating: "lower/\(100_000 + number)") else { continue }
                    continuation.yield(FileInfo(name: name, byteCount: 1))
                }
                continuation.finish()
            }
        )
    }
}
