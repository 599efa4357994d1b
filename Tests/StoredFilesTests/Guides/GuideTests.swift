import Foundation
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("The guides of the documentation")
struct GuideTests {
    private let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardized

    private static let articlesWithCode = [
        "StoredFiles", "GettingStarted", "Migrations", "LifeOfAFile", "Images", "WritingAStorage", "Testing",
        "Limitations",
    ]

    @Test("Each block of code in an article is compiled in the example beside this test", arguments: articlesWithCode)
    func showsTheCodeThatIsCompiledHere(article: String) throws {
        let shown = blocks(in: try text(of: "Sources/StoredFiles/StoredFiles.docc/\(article).md"))
        try #require(!shown.isEmpty, "\(article).md has no code")
        let example = lines(of: try text(of: "Tests/StoredFilesTests/Guides/\(article)Example.swift"))
        for block in shown {
            let isThere = example.indices.contains { example[$0...].starts(with: block) }
            #expect(isThere, "\(article)Example.swift lacks this code: \(block.joined(separator: "\n"))")
        }
    }

    @Test("Every article with code is among those that are compared")
    func comparesAllArticlesWithCode() throws {
        let folder = root.appending(path: "Sources/StoredFiles/StoredFiles.docc")
        let articles = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".md") }
        let withCode = try articles.map { String($0.dropLast(3)) }.filter { article in
            try !blocks(in: text(of: "Sources/StoredFiles/StoredFiles.docc/\(article).md")).isEmpty
        }
        #expect(withCode.sorted() == Self.articlesWithCode.sorted())
    }

    @Test("The code of the guide to getting started runs")
    func theCodeRuns() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "guide-\(UUID())")
        defer { try? FileManager.default.removeItem(at: folder) }
        let guide = GettingStartedGuide()
        let database = try await guide.openDatabase(
            at: try await TemporaryPostgres.shared().makeDatabase(),
            files: folder.path
        )
        let picture = root.appending(path: "Fixtures/cat.jpg").path
        let person = try await guide.addPerson(named: "Ada", portrait: picture, to: database)
        try await LifeOfAFileGuide().addPerson(named: "Grace", contract: .string("I agree."), to: database)
        try await guide.show(try #require(person.id), in: database)
        try await guide.replacePortrait(of: person, by: picture, in: database)
        try await database.delete(person)
        #expect(try await database.count(GettingStartedGuide.Person.self) == 1)
        await database.close()
    }

    private func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The lines of a text without the whitespace in front of them.
    private func lines(of text: some StringProtocol) -> [String] {
        text.components(separatedBy: "\n").map { String($0.drop { $0 == " " }) }
    }

    /// The lines of each block of Swift in an article.
    private func blocks(in article: String) -> [[String]] {
        article.components(separatedBy: "```swift\n").dropFirst().map { rest in
            lines(of: rest.components(separatedBy: "\n```")[0])
        }
    }
}
