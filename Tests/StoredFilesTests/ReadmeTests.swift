import Foundation
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("The README")
struct ReadmeTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..").standardized

    @Test(
        "The README shows code that is compiled in an example",
        arguments: [
            "ReadmeExample.swift", "ReadmeLifecycleExample.swift", "ReadmeStagingExample.swift",
            "ReadmeS3Example.swift",
        ]
    )
    func showsTheCodeThatIsCompiledHere(file: String) throws {
        let source = try String(
            contentsOf: root.appending(path: "Tests/StoredFilesTests/\(file)"),
            encoding: .utf8
        )
        let marks = source.components(separatedBy: "// README: ")
        try #require(marks.count == 3)
        let code = marks[1].dropFirst("begin\n".count)
        let readme = try String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(code)```"))
    }

    @Test("BACKUPS.md shows the command that the drills use")
    func thePageAboutBackupsShowsTheCommandOfTheDrills() throws {
        let source = try String(
            contentsOf: root.appending(path: "Tests/StoredFilesTests/Lifecycle/Drills/OnCallCommand.swift"),
            encoding: .utf8
        )
        let marks = source.components(separatedBy: "// README: ")
        try #require(marks.count == 3)
        let page = try String(contentsOf: root.appending(path: "BACKUPS.md"), encoding: .utf8)
        #expect(page.contains("```swift\n\(marks[1].dropFirst("begin\n".count))```"))
    }

    @Test("The code of the README runs")
    func theCodeRuns() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "readme-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await tour(
            of: try await TemporaryPostgres.shared().makeDatabase(),
            files: folder.path,
            picture: root.appending(path: "Fixtures/cat.jpg").path
        )
        let left = try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter { $0.hasSuffix("cat.jpg") }
        #expect(left.count == 1)
    }

    @Test("The staging code of the README runs and leaves production's mark unchanged")
    func theCodeOfStagingRuns() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "readme-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let address = try await TemporaryPostgres.shared().makeDatabase()
        let production = MemoryStorage()
        let storages = StorageRegistry([.media: production, .documents: MemoryStorage()])
        let database = try await Database.connect(address, storages: storages)
        try await database.migrate(migrations)
        let mark = try StorageName(validating: ".stored-files-owner")
        let before = try await production.open(mark).collect(upTo: 4096)
        try await prepareStaging(at: address, files: folder.path, over: production)
        #expect(try await production.open(mark).collect(upTo: 4096) == before)
        let own = try await FileSystemStorage(root: folder.path).open(mark).collect(upTo: 4096)
        #expect(own != before)
        await database.close()
    }

    @Test("The S3 code of the README runs")
    func theCodeRunsOnS3() async throws {
        let server = try await TemporaryS3.start(.seaweedFS)
        _ = try await server.makeBucket(named: "media")
        let storage = try await media(on: server.endpoint, server.accessKeyID, server.secretAccessKey)
        #expect(storage.capabilities.contains(.conditionalUpload))
        let file = try await storage.upload(.string("cat"), to: storage.name(for: "cat.txt"))
        let url = try await storage.url(for: file.name)
        #expect(url.contains("X-Amz-Signature="))
        #expect(try await storage.info(for: file.name).cacheControl == "public, max-age=31536000, immutable")
        await server.stop()
    }
}
