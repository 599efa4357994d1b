import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Files that wait for their rows")
struct ReceiptTests {
    private static let short = LifecycleConfiguration(claimPeriod: .milliseconds(100))

    @Test("A row with a new file is refused after the claim period")
    func aFileThatNoRowHasNamedInTimeIsRefused() async throws {
        try await TestApplication.run(lifecycle: Self.short) { app in
            let paper = try await app.database.store(.string("late"), named: "a.txt", for: \Album.$paper)
            let cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            let copied = try await app.database.copy(paper, for: \Album.$paper)
            try await Task.sleep(for: .milliseconds(150))
            for late in [
                Album(title: "late", paper: paper), Album(title: "late", cover: cover),
                Album(title: "late", paper: copied),
            ] {
                let error = await #expect(throws: StorageError.self) {
                    var late = late
                    try await app.database.insert(&late)
                }
                #expect(error?.code == .expired)
                #expect(error?.message.contains("Store it again") == true)
            }
            #expect(try await app.database.count(Album.self) == 0)
        }
    }

    @Test("A row whose file was claimed in time can be updated after the claim period")
    func aFileThatWasWrittenInTimeCanBeWrittenAgainLater() async throws {
        // Long enough for the first write on any machine; the second comes after it.
        try await TestApplication.run(lifecycle: LifecycleConfiguration(claimPeriod: .seconds(3))) { app in
            var album = Album(title: "in time")
            album.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.database.insert(&album)
            try await Task.sleep(for: .milliseconds(3100))
            album.title = "again"
            try await app.database.update(album)
            let found = try await app.database.find(Album.self, try #require(album.id))
            #expect(found == album)
        }
    }

    @Test("A row that was loaded can be updated after the claim period")
    func aFileOfARowIsNoOldFile() async throws {
        try await TestApplication.run(lifecycle: Self.short) { app in
            _ = try await app.database.query("INSERT INTO albums (title, paper) VALUES ('old', 'a.txt')")
            var album = try #require(await app.database.all(Album.self).first)
            try await Task.sleep(for: .milliseconds(150))
            album.title = "new"
            try await app.database.update(album)
        }
    }
}
