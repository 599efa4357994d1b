import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Files that wait for their rows")
struct ReceiptTests {
    private static let short = LifecycleConfiguration(claimPeriod: .milliseconds(100))

    @Test("A row with a new file is refused after the claim period")
    func aFileThatNoRowHasNamedInTimeIsRefused() async throws {
        try await World.run(lifecycle: Self.short) { world in
            let paper = try await world.database.store(.string("late"), named: "a.txt", for: \Album.$paper)
            let cover = try await world.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            let copied = try await world.database.copy(paper, for: \Album.$paper)
            try await Task.sleep(for: .milliseconds(150))
            for late in [
                Album(title: "late", paper: paper), Album(title: "late", cover: cover),
                Album(title: "late", paper: copied),
            ] {
                let error = await #expect(throws: StorageError.self) {
                    var late = late
                    try await world.database.insert(&late)
                }
                #expect(error?.code == .expired)
                #expect(error?.message.contains("Store it again") == true)
            }
            #expect(try await world.database.count(Album.self) == 0)
        }
    }

    @Test("A row whose file was claimed in time can be updated after the claim period")
    func aFileThatWasWrittenInTimeCanBeWrittenAgainLater() async throws {
        // Long enough for the first write on any machine; the second comes after it.
        try await World.run(lifecycle: LifecycleConfiguration(claimPeriod: .seconds(3))) { world in
            var album = Album(title: "in time")
            album.paper = try await world.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await world.database.insert(&album)
            try await Task.sleep(for: .milliseconds(3100))
            album.title = "again"
            try await world.database.update(album)
            let found = try await world.database.find(Album.self, try #require(album.id))
            #expect(found == album)
        }
    }

    @Test("A row that was loaded can be updated after the claim period")
    func aFileOfARowIsNoOldFile() async throws {
        try await World.run(lifecycle: Self.short) { world in
            _ = try await world.database.query("INSERT INTO albums (title, paper) VALUES ('old', 'a.txt')")
            var album = try #require(await world.database.all(Album.self).first)
            try await Task.sleep(for: .milliseconds(150))
            album.title = "new"
            try await world.database.update(album)
        }
    }
}
