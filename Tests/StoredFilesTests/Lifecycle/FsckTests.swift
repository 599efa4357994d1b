import Foundation
import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoredFiles

@Suite("fsck", .timeLimit(.minutes(10)))
struct FsckTests {
    private let young = FsckConfiguration(minimumAge: .zero)

    /// Returns the findings of a run, as text.
    private func findings(
        _ app: TestApplication,
        _ configuration: FsckConfiguration,
        in storage: StorageID = .papers
    ) async throws -> (found: [String], summary: FsckProgress) {
        var found: [String] = []
        let summary = try await app.database.fsck(storage, configuration) { finding in
            switch finding {
            case .orphan(let file): found.append("orphan \(file.name)")
            case .danglingRow(let reference):
                found.append("dangling \(reference.table).\(reference.column) \(reference.name)")
            case .wrongSize(let reference, let cached, let actual):
                found.append("size \(reference.name) \(cached) \(actual)")
            }
        }
        return (found.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }, summary)
    }

    private func put(_ names: String..., in storage: some Storage) async throws {
        for name in names { _ = try await storage.upload(.string("x"), to: StorageName(validating: name)) }
    }

    @Test("fsck finds exactly the orphans and the dangling rows, and changes nothing")
    func finds() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b", "m/1", "z"])
            try await put("orphan", "m/0", "zz", in: app.papers)
            try await app.database.execute(
                "INSERT INTO albums (title, paper) VALUES ('x', 'gone'), ('x', 'm/2'), ('x', '../no name')"
            )
            // On its way, and on its way out: the journal knows them.
            _ = try await app.database.store(.string("x"), named: "new.txt", for: \Album.$paper)
            try await app.database.execute("DELETE FROM albums WHERE title = 'z'")
            let (found, summary) = try await findings(app, young)
            #expect(
                found == [
                    "dangling albums.paper ../no name", "dangling albums.paper gone", "dangling albums.paper m/2",
                    "orphan m/0", "orphan orphan", "orphan zz",
                ]
            )
            #expect(summary.objects == 8 && summary.rows == 6)
            #expect(summary.orphans == 3 && summary.danglingRows == 3 && summary.repaired == 0)
            expectEqual(try await app.paperNames().count, 8)
            expectEqual(try await app.journal().count, 2)
        }
    }

    @Test("fsck checks all rows of one name, even if a snapshot ends between them", arguments: 1...7)
    func pages(namesPerSnapshot: Int) async throws {
        try await TestApplication.run { app in
            let names = ["a", "b", "b", "b", "c", "d", "d"]
            try await app.database.execute("CREATE TABLE bare (title text, paper text)")
            for name in names {
                try await app.database.execute("INSERT INTO bare (title, paper) VALUES (\(name), \(name))")
            }
            let field = NameReferences.Field(table: "bare", column: "paper", sizes: nil)
            let references = NameReferences(
                database: app.database,
                fields: [field],
                prefix: "",
                position: nil,
                namesPerSnapshot: namesPerSnapshot
            )
            var found: [String] = []
            for try await element in references { found.append(element.reference.name) }
            #expect(found == names)
        }
    }

    @Test("fsck compares names by their bytes, so a row with a lookalike name is dangling")
    func unicodeTwins() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["caf\u{E9}", "z"])
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', \("cafe\u{301}"))")
            let (found, _) = try await findings(app, young)
            #expect(found.map { Array($0.utf8) } == [Array("dangling albums.paper cafe\u{301}".utf8)])
        }
    }

    @Test("fsck does not report a file younger than the minimum age as an orphan")
    func ageFloor() async throws {
        try await TestApplication.run { app in
            try await put("young", in: app.papers)
            #expect(try await findings(app, FsckConfiguration()).found == [])
            #expect(try await findings(app, young).found == ["orphan young"])
        }
    }

    @Test("An orphan that fsck repairs is condemned and reaped, unless a row names it first")
    func repairs() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["kept"])
            try await put("orphan", "adopted", in: app.papers)
            let summary = try await findings(app, FsckConfiguration(repairs: true, minimumAge: .zero)).summary
            #expect(summary.orphans == 2 && summary.repaired == 2)
            expectEqual(try await app.journal(), ["orphan": "condemned", "adopted": "condemned"])
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'adopted')")
            try await app.reapNow()
            expectEqual(try await app.paperNames(), ["adopted", "kept"])
            #expect(try await findings(app, young).found == [])
        }
    }

    @Test("fsck finds a file that was orphaned with session_replication_role = replica")
    func replicationRole() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a", "b"])
            try await app.database.transaction { transaction in
                try await transaction.execute("SET LOCAL session_replication_role = replica")
                try await transaction.execute("DELETE FROM albums WHERE title = 'a'")
            }
            expectEqual(try await app.journal(), [:])
            #expect(try await findings(app, young).found == ["orphan a"])
        }
    }

    @Test("fsck counts keys that no file can have, and leaves them alone")
    func foreignKeys() async throws {
        try await TestApplication.run { app in
            let storage = ForeignStorage(base: app.papers, count: 25)
            try await put("orphan", in: storage)
            let database = try await Database.connect(
                app.url,
                storages: StorageRegistry([.pictures: MemoryStorage(), .papers: storage])
            )
            var found: [String] = []
            let configuration = FsckConfiguration(repairs: true, minimumAge: .zero)
            let summary = try await database.fsck(.papers, configuration) { found.append("\($0)") }
            #expect(found == ["orphan: \"orphan\", 1 bytes"])
            #expect(summary.objects == 1 && summary.foreignKeys == 25 && summary.repaired == 1)
            #expect(summary.foreignKeySamples.count == 20)
            #expect(summary.foreignKeySamples.first?.bytes == Array("../0".utf8))
            await database.close()
        }
    }

    @Test("fsck reports variants as orphans only if no row names their image")
    func variants() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a.png"])
            try await put("a.png.variants/small.png", "b.png.variants/small.png", in: app.papers)
            #expect(try await findings(app, young).found == ["orphan b.png.variants/small.png"])
        }
    }

    @Test("fsck finds wrong image sizes on request, and clears them when it repairs")
    func sizes() async throws {
        try await TestApplication.run { app in
            let right = try await app.insertByHand(fixture("32x16.png"), named: "right.png")
            let wrong = try await app.insertByHand(fixture("32x16.png"), named: "wrong.png")
            let text = try await app.insertByHand(ByteBuffer(string: "text"), named: "text.png")
            let unknown = try await app.insertByHand(fixture("32x16.png"), named: "unknown.png")
            for (id, width) in [(right, 32), (wrong, 99), (text, 7)] {
                try await app.database.execute(
                    "UPDATE albums SET cover_width = \(Int32(width)), cover_height = 16 WHERE id = \(id)"
                )
            }
            let configuration = FsckConfiguration(checks: .sizes, repairs: true)
            let (found, summary) = try await findings(app, configuration, in: .pictures)
            #expect(found == ["size text.png 7x16 not an image", "size wrong.png 99x16 32x16"])
            #expect(summary.wrongSizes == 2 && summary.repaired == 2)
            #expect(try await app.sizeColumns(of: right) == [32, 16])
            #expect(try await app.sizeColumns(of: wrong) == [nil, nil])
            #expect(try await app.sizeColumns(of: unknown) == [nil, nil])
        }
    }

    @Test("fsck resumes an interrupted run at its last position")
    func resumes() async throws {
        try await TestApplication.run { app in
            let names = (0..<30).map { "n\($0 / 10)\($0 % 10)" }
            for name in names { try await put(name, in: app.papers) }
            struct Interrupted: Error {}
            var first: [String] = []
            await #expect(throws: Interrupted.self) {
                try await app.database.fsck(.papers, young) { finding in
                    if case .orphan(let file) = finding { first.append(file.name.string) }
                    if first.count == 12 { throw Interrupted() }
                }
            }
            #expect(first == Array(names.prefix(12)))
            var rest = young
            rest.position = try StorageName(validating: names[11])
            let (found, summary) = try await findings(app, rest)
            #expect(found == names.dropFirst(12).map { "orphan \($0)" })
            #expect(summary.position?.string == names.last)
        }
    }

    @Test("fsck with a prefix checks only names that start with it")
    func prefix() async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["a/1", "b/1"])
            try await put("a/2", "b/2", in: app.papers)
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', 'a/3'), ('x', 'b/3')")
            var configuration = young
            configuration.prefix = "a/"
            #expect(try await findings(app, configuration).found == ["dangling albums.paper a/3", "orphan a/2"])
        }
    }

    @Test("The files of a storage that lists in no order are sorted in runs", arguments: [2, 5, 32])
    func externalSort(mergeWidth: Int) async throws {
        var names = (0..<1000).map { "k\($0 * 7919 % 1000)" } + ["caf\u{E9}", "cafe\u{301}"]
        names.shuffle()
        let files = names.map {
            FileInfo(
                name: StorageName(unchecked: $0),
                byteCount: 3,
                modified: Date(timeIntervalSince1970: 5),
                isInherited: $0.hasSuffix("7")
            )
        }
        let sort = ExternalSort(runLength: 64, mergeWidth: mergeWidth)
        var sorted: [FileInfo] = []
        for try await file in sort.sorted(FileListing(Unordered(files: files))) { sorted.append(file) }
        #expect(sorted.map(\.name) == files.map(\.name).sorted())
        #expect(sorted.allSatisfy { $0.isInherited == $0.name.string.hasSuffix("7") })
        #expect(sorted.allSatisfy { $0.byteCount == 3 && $0.modified == Date(timeIntervalSince1970: 5) })
    }

    @Test("An external sort keeps few files open and deletes all of them")
    func openFilesOfSort() throws {
        let runs = try SortedRuns(mergeWidth: 4)
        for number in (0..<1000).shuffled() {
            try runs.add([FileInfo(name: StorageName(unchecked: "k\(1000 + number)"), byteCount: 1)])
        }
        // Fewer than the width at each level: a thousand runs make five.
        #expect(try runs.startMerging() <= 3 * 5)
        #expect(FileManager.default.fileExists(atPath: runs.folder.path))
        for number in 0..<1000 { #expect(try runs.next()?.name.string == "k\(1000 + number)") }
        #expect(try runs.next() == nil)
        #expect(!FileManager.default.fileExists(atPath: runs.folder.path))
        #expect(try runs.next() == nil)
    }

    private struct Unordered: AsyncSequence, Sendable {
        typealias Element = FileInfo

        let files: [FileInfo]

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(files: files.makeIterator()) }

        struct AsyncIterator: AsyncIteratorProtocol {
            var files: IndexingIterator<[FileInfo]>

            mutating func next() async throws -> FileInfo? { files.next() }
        }
    }

    #if os(Linux)
        @Test(
            "fsck compares a hundred thousand files and rows in less than 32 MiB",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func constantMemory() async throws {
            await #expect(processExitsWith: .success) {
                let root = FileManager.default.temporaryDirectory.appending(path: "fsck-\(UUID().uuidString)").path
                defer { try? FileManager.default.removeItem(atPath: root) }
                let storage = try FileSystemStorage(root: root, durability: .none)
                let count = 100_000
                for number in 0..<count {
                    let folder = root + "/d\(number / 1000)"
                    if number % 1000 == 0 { mkdir(folder, 0o755) }
                    // Every 9973rd row gets no file.
                    if number % 9973 == 1 { continue }
                    close(open(folder + "/f\(number)", O_CREAT | O_WRONLY, 0o644))
                }
                for number in 0..<7 { close(open(root + "/d\(number * 11)/orphan", O_CREAT | O_WRONLY, 0o644)) }

                let server = try await TemporaryPostgres.start()
                let database = try await Database.connect(
                    try await server.makeDatabase(),
                    storages: StorageRegistry([.papers: storage, .pictures: MemoryStorage()])
                )
                try await database.migrate(albumMigrations)
                try await database.execute(
                    """
                    INSERT INTO albums (title, paper) SELECT 'x', 'd' || i / 1000 || '/f' || i \
                    FROM generate_series(0, \(count - 1)) AS i
                    """
                )
                // Warm: connections, statements, the allocator's arenas.
                try await database.fsck(.papers, FsckConfiguration(minimumAge: .zero, prefix: "d1/")) { _ in }

                try Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs"))
                let before = try memory("VmRSS")
                var orphans: [String] = []
                var dangling: [String] = []
                let summary = try await database.fsck(.papers, FsckConfiguration(minimumAge: .zero)) { finding in
                    switch finding {
                    case .orphan(let file): orphans.append(file.name.string)
                    case .danglingRow(let reference): dangling.append(reference.name)
                    case .wrongSize: Issue.record("\(finding)")
                    }
                }
                let growth = try memory("VmHWM") - before
                #expect(growth < 32 << 20, "\(growth >> 20) MiB")
                #expect(orphans.sorted() == (0..<7).map { "d\($0 * 11)/orphan" }.sorted())
                let missing = (0..<count).filter { $0 % 9973 == 1 }
                #expect(Set(dangling) == Set(missing.map { "d\($0 / 1000)/f\($0)" }) && dangling.count == missing.count)
                #expect(summary.rows == count && summary.objects == count - missing.count + 7)
                await database.close()
                await server.stop()
            }
        }
    #endif
}

#if os(Linux)
    /// A figure of /proc/self/status, in bytes.
    private func memory(_ figure: String) throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix(figure + ":") })
        return try #require(line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }) << 10
    }
#endif

/// A storage in which others have keys that no file can have.
private struct ForeignStorage<Base: Storage>: ForwardingStorage {
    let base: Base
    let count: Int

    func list(prefix: String) -> FileListing {
        FileListing(Listing(files: base.list(prefix: prefix), count: count))
    }

    private struct Listing: AsyncSequence, Sendable {
        let files: FileListing
        let count: Int

        func makeAsyncIterator() -> FileListing.AsyncIterator {
            for index in 0..<count {
                if let key = ForeignKey(Array("../\(index)".utf8)) { FileListing.onForeignKey?(key) }
            }
            return files.makeAsyncIterator()
        }
    }
}
