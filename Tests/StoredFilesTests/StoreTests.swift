import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Storing files of fields")
struct StoreTests {
    @Test("A stored image is written with its row and comes back with its size")
    func storedImageIsWrittenWithItsRowAndComesBackWithItsSize() async throws {
        try await TestApplication.run { app in
            var album = Album(title: "Cat")
            album.cover = try await app.database.store(
                .buffer(fixture("cat.jpg")),
                named: "My cat (1).jpg",
                for: \Album.$cover
            )
            let name = try #require(album.cover?.name)
            let parts = name.string.split(separator: "/")
            #expect(parts.count == 3)
            #expect(parts.first == "covers")
            #expect(parts[1].utf8.count == 26)
            #expect(parts.last == "My_cat_1.jpg")
            #expect(album.cover?.pixelSize != nil)
            try await app.database.insert(&album)

            let operations = app.pictures.calls.count
            let id = try #require(album.id)
            let found = try #require(await app.database.find(Album.self, id))
            #expect(found == album)
            #expect(found.cover?.pixelSize == album.cover?.pixelSize)
            #expect(app.pictures.calls.count == operations, "loading a row asked the storage")
            let bytes = try await found.cover?.open().collect(upTo: 1 << 22)
            #expect(bytes == (try fixture("cat.jpg")))
        }
    }

    @Test("Two files with the same original name get different names")
    func sameNameTwiceGivesTwoFiles() async throws {
        try await TestApplication.run { app in
            let first = try await app.database.store(.string("one"), named: "a.txt", for: \Album.$paper)
            let second = try await app.database.store(.string("two"), named: "a.txt", for: \Album.$paper)
            #expect(first.name != second.name)
            #expect(try await first.open().collect(upTo: 10) == ByteBuffer(string: "one"))
            #expect(try await second.open().collect(upTo: 10) == ByteBuffer(string: "two"))
        }
    }

    @Test(
        "A hostile original name is refused and nothing is uploaded",
        arguments: ["../../etc/passwd", "a\u{0}b.txt", "a\u{202E}b.txt", "", "...", "///"]
    )
    func hostileOriginalNameIsRefusedAndNothingIsUploaded(_ name: String) async throws {
        try await TestApplication.run { app in
            await #expect {
                _ = try await app.database.store(.string("x"), named: name, for: \Album.$paper)
            } throws: {
                ($0 as? StorageError)?.code == .invalidName
            }
            #expect(app.papers.count(of: .upload) == 0)
        }
    }

    @Test("A file with too many bytes for its field is refused and leaves nothing")
    func tooManyBytesLeaveNothing() async throws {
        try await TestApplication.run { app in
            let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: (1 << 20) + 1))
            await #expect {
                _ = try await app.database.store(body, named: "a.bin", for: \Album.$paper)
            } throws: {
                ($0 as? StorageError)?.code == .tooLarge
            }
            let left = try await app.names(in: app.papers)
            #expect(left.isEmpty)
        }
    }

    @Test(
        "A file that is not an image is refused by an image field and leaves nothing",
        arguments: ["<svg xmlns='http://www.w3.org/2000/svg'/>", "plain text", "", "GIF89a"]
    )
    func whatIsNoImageIsRefusedAndLeavesNothing(_ text: String) async throws {
        try await TestApplication.run { app in
            await #expect(throws: ImageError.self) {
                _ = try await app.database.store(.string(text), named: "cat.png", for: \Album.$cover)
            }
            let left = try await app.names(in: app.pictures)
            #expect(left.isEmpty)
        }
    }

    @Test("Active content is stored as an attachment")
    func activeContentIsKeptAsAnAttachment() async throws {
        try await TestApplication.run { app in
            let page = try await app.database.store(
                .string("<!DOCTYPE html><script>alert(1)</script>"),
                named: "page.html",
                for: \Album.$paper
            )
            #expect(try await page.info().contentDisposition == "attachment")
            let text = try await app.database.store(.string("plain"), named: "a.txt", for: \Album.$paper)
            #expect(try await text.info().contentDisposition == nil)
        }
    }

    @Test("A rollback removes the files that the transaction stored")
    func rollbackRemovesWhatTheTransactionStored() async throws {
        try await TestApplication.run { app in
            await #expect(throws: Stop.self) {
                try await app.database.transaction { transaction in
                    var album = Album(title: "Never")
                    album.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    try await transaction.insert(&album)
                    throw Stop()
                }
            }
            let rows = try await app.database.count(Album.self)
            #expect(rows == 0)
            let left = try await app.names(in: app.papers)
            #expect(left.isEmpty)
        }
    }

    @Test("A savepoint that is rolled back removes only the files that it stored")
    func innerRollbackRemovesOnlyWhatTheSavepointStored() async throws {
        try await TestApplication.run { app in
            try await app.database.transaction { outer in
                var kept = Album(title: "kept")
                kept.paper = try await outer.store(.string("kept"), named: "kept.txt", for: \Album.$paper)
                try await outer.insert(&kept)
                await #expect(throws: Stop.self) {
                    try await outer.transaction { inner in
                        _ = try await inner.store(.string("gone"), named: "gone.txt", for: \Album.$paper)
                        throw Stop()
                    }
                }
                try await outer.transaction { inner in
                    _ = try await inner.store(.string("also kept"), named: "also.txt", for: \Album.$paper)
                }
            }
            let names = try await app.names(in: app.papers).map(\.lastComponent).sorted()
            #expect(names == ["also.txt", "kept.txt"])
        }
    }

    @Test("A rollback of the outer transaction removes the files of a released savepoint")
    func outerRollbackRemovesWhatAReleasedSavepointStored() async throws {
        try await TestApplication.run { app in
            await #expect(throws: Stop.self) {
                try await app.database.transaction { outer in
                    try await outer.transaction { inner in
                        _ = try await inner.store(.string("gone"), named: "gone.txt", for: \Album.$paper)
                    }
                    throw Stop()
                }
            }
            let left = try await app.names(in: app.papers)
            #expect(left.isEmpty)
        }
    }

    @Test("A constraint that fails at the COMMIT removes the upload")
    func aConstraintThatFailsAtCommitRemovesTheUploadToo() async throws {
        try await TestApplication.run { app in
            try await app.database.execute(
                "ALTER TABLE albums ADD CONSTRAINT one_title UNIQUE (title) DEFERRABLE INITIALLY DEFERRED"
            )
            var first = Album(title: "same")
            try await app.database.insert(&first)
            await #expect {
                try await app.database.transaction { transaction in
                    var second = Album(title: "same")
                    second.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    try await transaction.insert(&second)
                }
            } throws: {
                ($0 as? DatabaseError)?.code == .uniqueViolation
            }
            let left = try await app.names(in: app.papers)
            #expect(left.isEmpty)
        }
    }

    @Test("A second row with the same file is refused")
    func aFileBelongsToOneRow() async throws {
        try await TestApplication.run { app in
            var first = Album(title: "first")
            first.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.database.insert(&first)
            var second = Album(title: "second")
            second.paper = first.paper
            await #expect {
                try await app.database.insert(&second)
            } throws: {
                ($0 as? DatabaseError)?.code == .uniqueViolation
            }
        }
    }

    @Test("Cancelling a transaction that stores a file leaves no file and a usable pool", arguments: 0..<24)
    func cancellationAtAnyMomentLeavesNoFileNoConnectionAndAUsablePool(_ step: Int) async throws {
        try await TestApplication.run(poolSize: 2) { app in
            let picture = try fixture("cat.jpg")
            let task = Task {
                try await app.database.transaction { transaction in
                    var album = Album(title: "cancelled")
                    album.cover = try await transaction.store(.buffer(picture), named: "c.jpg", for: \Album.$cover)
                    try await transaction.insert(&album)
                    _ = try await album.cover?.dimensions()
                    try await transaction.execute("SELECT pg_sleep(0.02)")
                }
            }
            try await Task.sleep(for: .milliseconds(step * 3))
            task.cancel()
            let result = await task.result
            let rows = try await app.database.count(Album.self)
            let files = try await app.names(in: app.pictures).count
            switch result {
            case .success: #expect(rows == 1 && files == 1)
            case .failure(let error):
                #expect(error is CancellationError)
                #expect(rows == 0 && files == 0)
            }
            // Both connections are there for others.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await app.database.execute("SELECT pg_sleep(0.001)") }
                }
                try await group.waitForAll()
            }
        }
    }

    struct Stop: Error {}
}

extension TestApplication {
    func names(in storage: some Storage) async throws -> [StorageName] {
        var names: [StorageName] = []
        for try await info in storage.list(prefix: "") { names.append(info.name) }
        return names
    }
}
