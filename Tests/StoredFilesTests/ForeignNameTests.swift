import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Names that other programs have written")
struct ForeignNameTests {
    private static let bad = ["/etc/passwd", "../up.txt", "a//b.txt", "re\u{301}sume\u{301}.txt", "a\\b", "a\nb"]

    private static func fill(_ app: TestApplication) async throws {
        _ = try await app.database.query("INSERT INTO albums (title, paper, cover) VALUES ('good', 'a.txt', 'a.png')")
        _ = try await app.database.query("INSERT INTO albums (title, paper, cover) VALUES ('empty', '', '')")
        for name in bad {
            _ = try await app.database.query(
                "INSERT INTO albums (title, paper, cover) VALUES ('bad', \(name), \(name + ".png"))"
            )
        }
    }

    private static func isRefusal(_ error: any Error, of column: String) -> Bool {
        guard let error = error as? StorageError, error.code == .invalidName else { return false }
        return error.message.contains("\"\(column)\" of \"albums\"") && error.description.utf8.count < 1500
    }

    @Test("Invalid names in rows do not break the results that contain them")
    func badNamesDoNotSpoilTheResultTheyAreIn() async throws {
        try await TestApplication.run { app in
            try await Self.fill(app)
            let all = try await app.database.all(Album.self, "ORDER BY id")
            #expect(all.map { $0.paper?.name.string } == ["a.txt", nil] + Self.bad.map { Optional($0) })
            #expect(all.map { $0.cover?.name.string } == ["a.png", nil] + Self.bad.map { Optional($0 + ".png") })
            for album in all {
                let id = try #require(album.id)
                let found = try await app.database.find(Album.self, id)
                #expect(found == album)
            }
            let first = try await app.database.first(Album.self, "WHERE title = 'bad' ORDER BY id")
            #expect(first?.paper?.name.string == Self.bad[0])
            var streamed: [Album] = []
            for try await album in app.database.stream(Album.self, "ORDER BY id") { streamed.append(album) }
            #expect(streamed == all)
        }
    }

    @Test("Every use of an invalid name throws an error that names its column")
    func everyUseOfABadNameSaysInWhichColumnItIs() async throws {
        try await TestApplication.run { app in
            try await Self.fill(app)
            for album in try await app.database.all(Album.self, "WHERE title = 'bad'") {
                let paper = try #require(album.paper)
                let cover = try #require(album.cover)
                let uses: [@Sendable () async throws -> Void] = [
                    { _ = try await paper.open() }, { _ = try await paper.info() }, { _ = try await paper.exists() },
                    { _ = try await paper.size() }, { _ = try await paper.url() }, { try await paper.delete() },
                    { _ = try await paper.upload(.string("x")) }, { _ = try await paper.copy(to: paper.name) },
                    { for try await _ in paper.storage.list() {} },
                    { try await paper.storage.abandonUploads(of: [paper.name]) },
                ]
                for use in uses {
                    await #expect {
                        try await use()
                    } throws: {
                        Self.isRefusal($0, of: "paper")
                    }
                }
                await #expect {
                    _ = try await cover.dimensions()
                } throws: {
                    Self.isRefusal($0, of: "cover")
                }
            }
            #expect(app.papers.calls.isEmpty)
            #expect(app.pictures.calls.isEmpty)
        }
    }

    @Test("A row with an invalid name is written back unchanged")
    func aRowWithABadNameIsWrittenBackAsItWas() async throws {
        try await TestApplication.run { app in
            try await Self.fill(app)
            for var album in try await app.database.all(Album.self, "WHERE title = 'bad' ORDER BY id") {
                album.title = "seen"
                try await app.database.update(album)
            }
            let rows = try await app.database.query(
                "SELECT paper, cover FROM albums WHERE title = 'seen' ORDER BY id"
            )
            let papers = try rows.map { try $0.decode(String.self, named: "paper") }
            #expect(papers.map { Array($0.utf8) } == Self.bad.map { Array($0.utf8) })
            let covers = try rows.map { try $0.decode(String.self, named: "cover") }
            #expect(covers.map { Array($0.utf8) } == Self.bad.map { Array("\($0).png".utf8) })
        }
    }
}
