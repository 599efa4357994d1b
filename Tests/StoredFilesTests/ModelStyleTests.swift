import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Three ways to use a field")
struct ModelStyleTests {
    @Test("A model with the macro reads the rows of a model written by hand")
    func macroAndHandWrittenModelsReadEachOthersRows() async throws {
        try await TestApplication.run { app in
            var byHand = HandWrittenAlbum(title: "by hand")
            byHand.cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \HandWrittenAlbum.$cover
            )
            byHand.paper = try await app.database.store(
                .string("text"),
                named: "a.txt",
                for: \HandWrittenAlbum.$paper
            )
            try await app.database.insert(&byHand)
            let id = try #require(byHand.id)

            let byMacro = try #require(await app.database.find(Album.self, id))
            #expect(byMacro.title == "by hand")
            #expect(byMacro.cover == byHand.cover)
            #expect(byMacro.cover?.pixelSize == PixelSize(width: 32, height: 16))
            #expect(byMacro.paper == byHand.paper)
        }
    }

    @Test("Files and images work without any model")
    func filesWorkWithoutAnyModel() async throws {
        let storage = MemoryStorage()
        let name = try await storage.upload(.buffer(fixture("32x16.png")), to: StorageName(validating: "a.png")).name
        let image = StorageImage(name: name, in: storage)
        #expect(image.width == nil && image.height == nil)
        #expect(try await image.dimensions() == PixelSize(width: 32, height: 16))
        let file = StorageFile(name: name, in: storage)
        #expect(try await file.size() > 0)
        try await file.delete()
        #expect(try await file.size() == 0)
    }

    @Test("A file name that is set by hand is written and comes back")
    func aNameSetByHandIsWrittenAndComesBack() async throws {
        try await TestApplication.run { app in
            _ = try await app.pictures.upload(
                .buffer(fixture("32x16.png")),
                to: StorageName(validating: "old/name.png")
            )
            var album = Album(title: "by name")
            album.cover = try StorageImage(name: "old/name.png", in: app.pictures)
            try await app.database.insert(&album)
            let id = try #require(album.id)
            let found = try #require(await app.database.find(Album.self, id))
            #expect(found.cover?.name.string == "old/name.png")
            #expect(found.cover?.pixelSize == nil)
            #expect(try await found.cover?.dimensions() == PixelSize(width: 32, height: 16))
        }
    }

    @Test("A row with a file of another storage is refused")
    func aFileOfAnotherStorageIsRefused() async throws {
        try await TestApplication.run { app in
            let elsewhere = FaultyStorage(MemoryStorage())
            var album = Album(title: "wrong storage")
            album.paper = try StorageFile(name: "a.txt", in: elsewhere)
            await #expect {
                try await app.database.insert(&album)
            } throws: {
                ($0 as? StorageError)?.code == .unknownStorage
            }
        }
    }

    @Test("Loading ten thousand rows makes no call to a storage")
    func loadingTenThousandRowsTouchesNoStorage() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                """
                INSERT INTO albums (title, paper, cover, cover_width, cover_height) \
                SELECT 'title ' || i, 'papers/' || i || '.pdf', 'covers/' || i || '.png', \
                CASE WHEN i % 2 = 0 THEN 64 END, CASE WHEN i % 2 = 0 THEN 48 END FROM generate_series(1, 10000) AS i
                """
            )
            let albums = try await app.database.all(Album.self, "ORDER BY id")
            #expect(albums.count == 10_000)
            #expect(albums[99].cover?.pixelSize == PixelSize(width: 64, height: 48))
            #expect(albums[98].cover?.pixelSize == nil)
            #expect(albums[98].paper?.name.string == "papers/99.pdf")
            #expect(app.pictures.calls.count == 0)
            #expect(app.papers.calls.count == 0)
        }
    }

    @Test("An update of some properties of a model with files leaves the other columns unchanged")
    func updateOfSomePropertiesLeavesTheOthers() async throws {
        try await TestApplication.run { app in
            var album = Album(title: "before")
            album.cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            try await app.database.insert(&album)
            let id = try #require(album.id)
            try await app.database.execute("UPDATE albums SET title = 'by another' WHERE id = \(id)")
            album.cover = nil
            try await app.database.update(album, only: [\Album.cover])
            let found = try #require(await app.database.find(Album.self, id))
            #expect(found.title == "by another")
            #expect(found.cover == nil)
            #expect(try await app.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test("Opening a file with a hostile name in its column is a typed error")
    func aHostileNameInTheColumnIsATypedError() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("INSERT INTO albums (title, paper) VALUES ('x', '../../etc/passwd')")
            let album = try #require(await app.database.all(Album.self).first)
            await #expect {
                _ = try await album.paper?.open()
            } throws: {
                ($0 as? StorageError)?.code == .invalidName
            }
        }
    }
}
