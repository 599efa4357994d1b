import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Image sizes in columns")
struct SizeCacheTests {
    @Test("The first access to an image size costs one read and one update, the second neither")
    func firstDimensionsOfARowWrittenBySQLReadsOnceAndUpdatesOnceTheSecondDoesNeither() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "by-hand/32x16.png")
            let first = try #require(await app.database.find(Album.self, id)?.cover)
            #expect(first.pixelSize == nil)

            var reads = app.pictures.count(of: .open)
            var statements = app.database.statistics.statements
            #expect(try await first.dimensions() == PixelSize(width: 32, height: 16))
            #expect(app.pictures.count(of: .open) - reads == 1)
            #expect(app.database.statistics.statements - statements == 1)
            #expect(try await app.sizeColumns(of: id) == [32, 16])

            let second = try #require(await app.database.find(Album.self, id)?.cover)
            reads = app.pictures.calls.count
            statements = app.database.statistics.statements
            #expect(try await second.dimensions() == PixelSize(width: 32, height: 16))
            #expect(app.pictures.calls.count == reads)
            #expect(app.database.statistics.statements == statements)
        }
    }

    @Test("A hundred concurrent first accesses to an image size read the file once")
    func hundredConcurrentFirstAccessesProbeOnce() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("cat.jpg"), named: "by-hand/cat.jpg")
            var covers: [StorageImage] = []
            for _ in 0..<100 {
                covers.append(try #require(await app.database.find(Album.self, id)?.cover))
            }
            let reads = app.pictures.count(of: .open)
            let sizes = try await withThrowingTaskGroup(of: PixelSize.self) { group in
                for cover in covers { group.addTask { try await cover.dimensions() } }
                var sizes: Set<PixelSize> = []
                for try await size in group { sizes.insert(size) }
                return sizes
            }
            #expect(sizes.count == 1)
            #expect(app.pictures.count(of: .open) - reads == 1)
        }
    }

    @Test("A probe of an image whose row has got a new name records nothing")
    func aProbeThatIsOvertakenByANewNameWritesNothing() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "by-hand/old.png")
            let stale = try #require(await app.database.find(Album.self, id)?.cover)
            try await app.database.execute("UPDATE albums SET cover = 'by-hand/new.png' WHERE id = \(id)")
            #expect(try await stale.dimensions() == PixelSize(width: 32, height: 16))
            #expect(try await app.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test("An SQL update of an image name clears its size columns")
    func updateOfTheNameBySQLEmptiesTheSizes() async throws {
        try await TestApplication.run { app in
            var album = Album(title: "One")
            album.cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            try await app.database.insert(&album)
            let id = try #require(album.id)
            #expect(try await app.sizeColumns(of: id) == [32, 16])
            try await app.database.execute("UPDATE albums SET cover = 'elsewhere.png' WHERE id = \(id)")
            #expect(try await app.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test("An SQL update that sets an image name and its sizes keeps the sizes")
    func updateThatSetsNameAndSizesTogetherKeepsThem() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "x.png")
            try await app.database.execute(
                "UPDATE albums SET cover = 'y.png', cover_width = 7, cover_height = 9 WHERE id = \(id)"
            )
            #expect(try await app.sizeColumns(of: id) == [7, 9])
        }
    }

    @Test("A BEFORE trigger that changes an image name clears the size columns")
    func nameChangedByAnotherBeforeTriggerEmptiesTheSizesToo() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "x.png")
            try await app.database.execute(
                "UPDATE albums SET cover_width = 32, cover_height = 16 WHERE id = \(id)"
            )
            try await app.database.execute(
                """
                CREATE FUNCTION rename_cover() RETURNS trigger LANGUAGE plpgsql AS \
                $$ BEGIN NEW.cover := 'moved/' || NEW.cover; RETURN NEW; END $$
                """
            )
            try await app.database.execute(
                """
                CREATE TRIGGER rename_cover BEFORE UPDATE ON albums FOR EACH ROW EXECUTE FUNCTION rename_cover()
                """
            )
            try await app.database.execute("UPDATE albums SET title = 'moved' WHERE id = \(id)")
            #expect(try await app.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test("A file that is not an image is recorded as zero by zero and not read again")
    func aFileThatIsNoImageIsRememberedAsZeroByZeroAndNotAskedAgain() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(ByteBuffer(string: "plain text"), named: "x.png")
            let cover = try #require(await app.database.find(Album.self, id)?.cover)
            await #expect { try await cover.dimensions() } throws: { ($0 as? ImageError)?.code == .notAnImage }
            #expect(try await app.sizeColumns(of: id) == [0, 0])

            let again = try #require(await app.database.find(Album.self, id)?.cover)
            let operations = app.pictures.calls.count
            await #expect { try await again.dimensions() } throws: { ($0 as? ImageError)?.code == .notAnImage }
            #expect(app.pictures.calls.count == operations)
        }
    }

    @Test("A missing image file is an error of the storage and is not recorded")
    func aMissingFileIsAnErrorOfTheStorageAndIsNotRemembered() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "x.png")
            try await app.pictures.delete(StorageName(validating: "x.png"))
            let cover = try #require(await app.database.find(Album.self, id)?.cover)
            await #expect { try await cover.dimensions() } throws: { ($0 as? StorageError)?.code == .notFound }
            #expect(try await app.sizeColumns(of: id) == [nil, nil])
        }
    }

    @Test("A check constraint refuses incomplete and negative image sizes")
    func theCheckRefusesHalfASize() async throws {
        try await TestApplication.run { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "x.png")
            for (width, height) in [("1", "NULL"), ("NULL", "1"), ("0", "3"), ("-1", "-1")] {
                let sql: SQL = """
                    UPDATE albums SET cover_width = \(raw: width), cover_height = \(raw: height) WHERE id = \(id)
                    """
                await #expect { try await app.database.execute(sql) } throws: {
                    ($0 as? DatabaseError)?.code == .checkViolation
                }
            }
        }
    }

    @Test("Reading an image size in a transaction does not block a pool of one connection")
    func dimensionsInsideATransactionWithAPoolOfOneDoNotWaitForTheirOwnConnection() async throws {
        try await TestApplication.run(poolSize: 1) { app in
            let id = try await app.insertByHand(fixture("32x16.png"), named: "x.png")
            let size = try await app.database.transaction { transaction in
                try await transaction.execute("UPDATE albums SET title = 'busy' WHERE id = \(id)")
                return try await transaction.find(Album.self, id)?.cover?.dimensions()
            }
            #expect(size == PixelSize(width: 32, height: 16))
            #expect(try await app.sizeColumns(of: id) == [32, 16])
        }
    }
}
