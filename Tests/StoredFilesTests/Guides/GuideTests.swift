import Foundation
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

@Suite("The guides of the documentation")
struct GuideTests {
    private static let articlesWithCode = [
        "StoredFiles", "GettingStarted", "Migrations", "LifeOfAFile", "Images", "WritingAStorage", "Testing",
        "Limitations",
    ]

    @Test(
        "Each code block of a StoredFiles guide is compiled in the example beside this test",
        arguments: articlesWithCode
    )
    func showsTheCodeThatIsCompiledHere(article: String) throws {
        let guide = try Guide(article, of: "StoredFiles")
        #expect(!guide.blocks.isEmpty)
        #expect(try guide.blocksNotCompiled() == [])
    }

    @Test("Every StoredFiles guide with code is compared with its example")
    func comparesAllArticlesWithCode() throws {
        let folder = Guide.root.appending(path: "Sources/StoredFiles/StoredFiles.docc")
        let articles = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".md") }
        let withCode = try articles.map { String($0.dropLast(3)) }.filter { article in
            try !Guide(article, of: "StoredFiles").blocks.isEmpty
        }
        #expect(withCode.sorted() == Self.articlesWithCode.sorted())
    }

    @Test("The code of the getting started guide runs")
    func theCodeRuns() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "guide-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let guide = GettingStartedGuide()
        let database = try await guide.openDatabase(
            at: try await TemporaryPostgres.shared().makeDatabase(),
            files: folder.path
        )
        let picture = Guide.root.appending(path: "Fixtures/cat.jpg").path
        let person = try await guide.addPerson(named: "Ada", portrait: picture, to: database)
        try await LifeOfAFileGuide().addPerson(named: "Grace", contract: .string("I agree."), to: database)
        try await guide.show(try #require(person.id), in: database)
        try await guide.replacePortrait(of: person, by: picture, in: database)
        try await database.delete(person)
        #expect(try await database.count(GettingStartedGuide.Person.self) == 1)
        await database.close()
    }
}
