import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Three ways to use a field")
struct ModelStyleTests {
    @Test func macroAndHandWrittenModelsReadEachOthersRows() async throws {
        try await World.run { world in
            var byHand = HandWrittenAlbum(title: "by hand")
            byHand.cover = try await world.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \HandWrittenAlbum.$cover
            )
            byHand.paper = try await world.database.store(
                .string("text"),
                named: "a.txt",
                for: \HandWrittenAlbum.$paper
            )
            try await world.database.insert(&byHand)
            let id = try #require(byHand.id)

            let byMacro = try #require(await world.database.find(Album.self, id))
            #expect(byMacro.title == "by hand")
            #expect(byMacro.cover == byHand.cover)
            #expect(byMacro.cover?.pixelSize == PixelSize(width: 32, height: 16))
            #expect(byMacro.paper == byHand.paper)
        }
    }

    @Test func filesWorkWithoutAnyModel() async throws {
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

    @Test func aNameSetByHandIsWrittenAndComesBack() async throws {
        try await World.run { world in
            _ = try await world.pictures.upload(
                .buffer(fixture("32x16.png")),
                to: StorageName(validating: "old/name.png")
            )
            var album = Album(title: "by name")
            album.cover = try StorageImage(name: "old/name.png", in: world.pictures)
            try await world.database.insert(&album)
            let id = try #require(album.id)
            let found = try #require(await world.database.find(Album.self, id))
            #expect(found.cover?.name.string == "old/name.png")
            #expect(found.cover?.pixelSize == nil)
            #expect(try await found.cover?.dimensions() == PixelSize(width: 32, height: 16))
        }
    }

    @Test func aFileOfAnotherStorageIsRefused() async throws {
        try await World.run { world in
            let elsewhere = FaultyStorage(MemoryStorage())
            var album = Album(title: "wrong storage")
            album.paper = try StorageFile(name: "a.txt", in: elsewhere)
            await #expect {
                try await world.database.insert(&album)
            } throws: {
                ($0 as? StorageError)?.code == .unknownStorage
            }
        }
    }

    @Test func loadingTenThousandRowsTouchesNoStorage() async throws {
        try await World.run { world in
            try await world.database.execute(
                """
                INSERT INTO albums (title, paper, cover, cover_width, cover_height) \
                SELECT 'title ' || i, 'papers/' || i || '.pdf', 'covers/' || i || '.png', \
                CASE WHEN i % 2 = 0 THEN 64 END, CASE WHEN i % 2 = 0 THEN 48 END FROM generate_series(1, 10000) AS i
                """
            )
            let albums = try await world.database.all(Album.self, "ORDER BY id")
            #expect(albums.count == 10_000)
            #expect(albums[99].cover?.pixelSize == PixelSize(width: 64, height: 48))
            #expect(albums[98].cover?.pixelSize == nil)
            #expect(albums[98].paper?.name.string == "papers/99.pdf")
            #expect(world.pictures.calls.count == 0)
            #expect(world.papers.calls.count == 0)
        }
    }

    @Test func updateOfSomePropertiesLeavesTheOthers() async throws {
        try await World.run { world in
            var album = Album(title: "before")
            album.cover = try await world.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            try await world.database.insert(&album)
            let id = try #require(album.id)
            try await world.database.execute("UPDATE albums SET title = 'by another' WHERE id = \(id)")
            album.cover = nil
            try await world.database.update(album, only: [\Album.cover])
            let found = try #require(await world.database.find(Album.self, id))
            #expect(found.title == "by another")
            #expect(found.cover == nil)
            #expect(try await world.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test func aHostileNameInTheColumnIsATypedError() async throws {
        try await World.run { world in
            try await world.database.execute("INSERT INTO albums (title, paper) VALUES ('x', '../../etc/passwd')")
            let album = try #require(await world.database.all(Album.self).first)
            await #expect {
                _ = try await album.paper?.open()
            } throws: {
                ($0 as? StorageError)?.code == .invalidName
            }
        }
    }
}
