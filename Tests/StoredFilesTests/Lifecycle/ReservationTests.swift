import NIOCore
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

@Suite("Reservations and claims", .timeLimit(.minutes(10)))
struct ReservationTests {
    @Test("A file is in the journal before its first byte is sent, and leaves it with its row")
    func life() async throws {
        try await TestApplication.run { app in
            let seen = Gate()
            app.papers.inject(
                .run {
                    expectEqual(try await app.states(), ["uploading"])
                    seen.open()
                },
                into: .upload
            )
            var album = Album(title: "x")
            album.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            await seen.wait()
            expectEqual(try await app.states(), ["uploading"])
            try await app.database.insert(&album)
            expectEqual(try await app.journal(), [:])
            album.paper = nil
            try await app.database.update(album)
            expectEqual(try await app.states(), ["condemned"])
        }
    }

    @Test("A transaction that holds the pool's only connection can reserve files")
    func poolOfOne() async throws {
        try await TestApplication.run(poolSize: 1) { app in
            try await app.database.transaction { transaction in
                var album = Album(title: "x")
                album.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                // Through the database too, whatever it was called on.
                album.cover = try await app.database.store(
                    .buffer(fixture("32x16.png")),
                    named: "a.png",
                    for: \Album.$cover
                )
                try await transaction.insert(&album)
            }
            expectEqual(try await app.journal(), [:])
            #expect(try await app.database.count(Album.self) == 1)
        }
    }

    @Test("A savepoint that is rolled back in a pool of one connection removes its file")
    func savepointInAPoolOfOne() async throws {
        try await TestApplication.run(poolSize: 1) { app in
            try await app.database.transaction { outer in
                await #expect(throws: CancellationError.self) {
                    try await outer.transaction { inner in
                        var album = Album(title: "gone")
                        album.paper = try await inner.store(.string("x"), named: "a.txt", for: \Album.$paper)
                        try await inner.insert(&album)
                        throw CancellationError()
                    }
                }
                expectEqual(try await app.paperNames(), [])
            }
            expectEqual(try await app.states(), ["deleted"])
        }
    }

    @Test("A file of the outer transaction survives the rollback of a savepoint that named it")
    func savepointThatOnlyNames() async throws {
        try await TestApplication.run { app in
            try await app.database.transaction { outer in
                var album = Album(title: "kept")
                album.paper = try await outer.store(.string("x"), named: "a.txt", for: \Album.$paper)
                await #expect(throws: CancellationError.self) {
                    try await outer.transaction { inner in
                        var other = album
                        try await inner.insert(&other)
                        throw CancellationError()
                    }
                }
                try await outer.insert(&album)
            }
            expectEqual(try await app.journal(), [:])
            expectEqual(try await app.paperNames().count, 1)
        }
    }

    @Test("A reservation is renewed as long as its upload lasts, and no reaper deletes the file")
    func heartbeat() async throws {
        let lifecycle = LifecycleConfiguration(claimPeriod: .milliseconds(600))
        try await TestApplication.run(poolSize: 8, lifecycle: lifecycle) { app in
            let isStored = Gate()
            let store = Task {
                app.papers.inject(.run { await isStored.wait() }, into: .upload)
                return try await app.database.store(.string("slow"), named: "a.txt", for: \Album.$paper)
            }
            try #require(await eventually { try await app.journal().count == 1 })
            let first = try await leaseEnd(in: app)
            // Three renewals: by now the first reservation is long over.
            try #require(await eventually { try await leaseEnd(in: app) > first + 0.6 })
            #expect(try await app.reapNow().deleted == 0)
            isStored.open()
            var album = Album(title: "x", paper: try await store.value)
            try await app.database.insert(&album)
            expectEqual(try await app.journal(), [:])
            let paper = try #require(album.paper)
            #expect(try await paper.exists())
        }
    }

    private func leaseEnd(in app: TestApplication) async throws -> Double {
        let rows = try await app.database.query(
            "SELECT extract(epoch FROM until)::float8 FROM stored_files.reservations"
        )
        return try #require(rows.first).decode(Double.self, at: 0)
    }

    @Test("A file that no row names is deleted after the claim period, and a later row is refused")
    func neverWritten() async throws {
        try await TestApplication.run(lifecycle: LifecycleConfiguration(claimPeriod: .milliseconds(100))) { app in
            let file = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            let isGone = try await eventually {
                _ = try await app.database.reap()
                return try await app.paperNames().isEmpty
            }
            #expect(isGone)
            var album = Album(title: "late", paper: file)
            let expired = await #expect(throws: StorageError.self) { try await app.database.insert(&album) }
            #expect(expired?.code == .expired)
            // Whoever has only its name is refused by the server.
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.execute(
                    "INSERT INTO albums (title, paper) VALUES ('late', \(file.name.string))"
                )
            }
            #expect(error?.code == .objectInUse)
            #expect(error?.column == "paper" && error?.table == "albums")
            #expect(error?.message.contains("Store the file again") == true)
            #expect(try await app.database.count(Album.self) == 0)
        }
    }

    @Test("An upload that fails leaves no object and a tombstone")
    func failedUpload() async throws {
        try await TestApplication.run { app in
            let failure = StorageError(.unavailable, "lost")
            app.papers.inject(.lostResponse(failure), into: .upload)
            await #expect(throws: StorageError.self) {
                try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            }
            expectEqual(try await app.paperNames(), [])
            expectEqual(try await app.states(), ["deleted"])
        }
    }

    @Test("An existing object of the new name is neither overwritten nor removed")
    func createOnly() async throws {
        try await TestApplication.run { app in
            let other = ByteBuffer(string: "of somebody else")
            app.papers.inject(
                .run {
                    let name = try #require(try await app.journal().keys.first)
                    _ = try await app.papers.base.upload(.buffer(other), to: StorageName(validating: name))
                },
                into: .upload
            )
            let error = await #expect(throws: StorageError.self) {
                try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            }
            #expect(error?.code == .alreadyExists)
            expectEqual(try await app.journal(), [:])
            let name = try #require(try await app.paperNames().first)
            let file = try StorageFile(name: name, in: app.papers)
            let found = try await file.open().collect(upTo: 100)
            #expect(found == other)
        }
    }

    @Test("The reaper deletes a file that a rollback could not delete")
    func compensationFails() async throws {
        try await TestApplication.run { app in
            app.papers.inject(.error(StorageError(.unavailable, "down")), into: .delete)
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { transaction in
                    _ = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    throw CancellationError()
                }
            }
            expectEqual(try await app.paperNames().count, 1)
            expectEqual(try await app.states(), ["deleting"])
            #expect(try await app.reapNow().deleted == 1)
            expectEqual(try await app.paperNames(), [])
        }
    }

    @Test("A rollback does not remove a file that another transaction has claimed")
    func claimedByAnother() async throws {
        try await TestApplication.run { app in
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { transaction in
                    let file = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    try await app.database.execute(
                        "INSERT INTO albums (title, paper) VALUES ('other', \(file.name.string))"
                    )
                    throw CancellationError()
                }
            }
            expectEqual(try await app.paperNames().count, 1)
            #expect(try await app.reapNow().deleted == 0)
            let paper = try #require(try await app.database.first(Album.self)?.paper)
            #expect(try await paper.exists())
        }
    }

    @Test("Files of a table without triggers are removed on rollback and never reaped")
    func bareTable() async throws {
        try await TestApplication.run(lifecycle: LifecycleConfiguration(claimPeriod: .milliseconds(100))) { app in
            try await app.database.migrate(
                albumMigrations + [Migration("bare") { try await $0.untrack("paper", of: "albums") }]
            )
            var album = Album(title: "bare")
            album.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            expectEqual(try await app.journal(), [:])
            try await app.database.insert(&album)
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { transaction in
                    _ = try await transaction.store(.string("y"), named: "b.txt", for: \Album.$paper)
                    throw CancellationError()
                }
            }
            try await Task.sleep(for: .milliseconds(150))
            #expect(try await app.reapNow().deleted == 0)
            expectEqual(try await app.paperNames(), [album.paper?.name.string])
        }
    }

    @Test("A table without triggers is recognized quickly even if its storage has tracked fields")
    func bareTableOfTrackedStorage() async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(albumMigrations)
            try await app.database.execute("CREATE TABLE leaflets (id bigserial PRIMARY KEY, paper text)")
            let before = app.database.statistics.statements
            _ = try await app.database.store(.string("x"), named: "a.txt", for: \Leaflet.$paper)
            #expect(app.database.statistics.statements - before == 2)
            // All triggers of the database are looked at only for a table that may have some.
            let calls = try await app.database.transaction { transaction in
                try await transaction.execute("SET LOCAL track_functions = 'all'")
                try await transaction.execute(
                    """
                    SELECT stored_files.reserve('papers', 'n', 'leaflets'::regclass, 'paper', interval '1 minute', false)
                    """
                )
                return try await transaction.query(
                    "SELECT count(*) FROM pg_stat_xact_user_functions WHERE funcname = 'field_at'"
                ).first?.decode(Int.self, at: 0)
            }
            #expect(calls == 0)
        }
    }

    @Test(
        "Storing fails while a table or column is renamed, and works when the name is back",
        arguments: [
            (
                "ALTER TABLE albums RENAME TO away", "ALTER TABLE away RENAME TO albums",
                DatabaseError.Code.undefinedObject
            ),
            (
                "ALTER TABLE albums RENAME COLUMN paper TO away", "ALTER TABLE albums RENAME COLUMN away TO paper",
                .missingColumn
            ),
        ]
    )
    func renamedMeanwhile(_ change: SQL, _ back: SQL, _ code: DatabaseError.Code) async throws {
        try await TestApplication.run { app in
            try await app.database.execute(change)
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            }
            #expect(error?.code == code)
            expectEqual(try await app.paperNames(), [])
            try await app.database.execute(back)
            _ = try await app.database.store(.string("y"), named: "b.txt", for: \Album.$paper)
            expectEqual(try await app.states(), ["uploading"])
        }
    }

    @Test("Files are reserved again after a column is untracked and tracked again")
    func untrackedMeanwhile() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("CREATE TABLE others (paper text)")
            try await app.database.execute("SELECT stored_files.track('others', 'paper', 'papers')")
            try await app.database.execute("SELECT stored_files.untrack('albums', 'paper')")
            _ = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            expectEqual(try await app.states(), [])
            try await app.database.execute("SELECT stored_files.track('albums', 'paper', 'papers')")
            _ = try await app.database.store(.string("y"), named: "b.txt", for: \Album.$paper)
            expectEqual(try await app.states(), ["uploading"])
        }
    }

    @Test("A file whose column changes its type during the upload is deleted if no row names it")
    func untrackedDuringAnUpload() async throws {
        try await TestApplication.run { app in
            let database = app.database
            _ = try await database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await database.execute("SELECT stored_files.untrack('albums', 'paper')")
            // No trigger would claim it now, so it does not lapse.
            try await database.execute("UPDATE stored_files.reservations SET until = 'epoch'")
            #expect(try await app.reapNow().deleted == 0)
            try await database.execute("ALTER TABLE albums ALTER COLUMN paper TYPE varchar(200)")
            try await database.execute("SELECT stored_files.track('albums', 'paper', 'papers')")
            expectEqual(try await app.states(), ["uploading"])
            #expect(try await app.reapNow().deleted == 1)
            expectEqual(try await app.paperNames(), [])
        }
    }

    @Test("A database without the library's migrations works like a table without triggers")
    func withoutSchema() async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let papers = MemoryStorage()
        let database = try await Database.connect(
            url,
            storages: StorageRegistry([.papers: papers, .pictures: MemoryStorage()])
        )
        try await database.execute(
            """
            CREATE TABLE albums (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, title text NOT NULL, \
            paper text, cover text, cover_width int, cover_height int)
            """
        )
        var album = Album(title: "x")
        album.paper = try await database.store(.string("x"), named: "a.txt", for: \Album.$paper)
        try await database.insert(&album)
        let id = try #require(album.id)
        let paper = try #require(try await database.find(Album.self, id)?.paper)
        #expect(try await paper.exists())
        await database.close()
    }

    @Test("Triggers with another storage than the model's cause an error that names both")
    func wrongStorage() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("UPDATE stored_files.fields SET storage = 'attic'")
            let error = await #expect(throws: StorageError.self) {
                try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("attic") == true && error?.message.contains("papers") == true)
            expectEqual(try await app.paperNames(), [])
        }
    }

    @Test("Two rows cannot share a file, but a copy gives the second row its own")
    func sharing() async throws {
        try await TestApplication.run { app in
            var first = Album(title: "first")
            first.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            first.cover = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover
            )
            try await app.database.insert(&first)
            var second = Album(title: "second", paper: first.paper)
            let error = await #expect(throws: DatabaseError.self) { try await app.database.insert(&second) }
            #expect(error?.code == .uniqueViolation)
            #expect(error?.constraint == "albums_paper_names_one_row")
            #expect(error?.message.contains("copy(_:for:)") == true)

            second.paper = try await app.database.copy(first.paper, for: \Album.$paper)
            second.cover = try await app.database.copy(first.cover, for: \Album.$cover)
            #expect(second.paper?.name != first.paper?.name)
            #expect(second.cover?.pixelSize == PixelSize(width: 32, height: 16))
            expectEqual(try await app.journal().count, 2)
            try await app.database.insert(&second)
            expectEqual(try await app.journal(), [:])
            try await app.database.delete(first)
            try await app.reapNow()
            let (paper, cover) = (try #require(second.paper), try #require(second.cover))
            #expect(try await paper.open().collect(upTo: 10) == ByteBuffer(string: "x"))
            #expect(try await cover.file.exists())
            let none = try await app.database.copy(nil as StorageFile?, for: \Album.$paper)
            #expect(none == nil)
        }
    }

    @Test("A copy made in a transaction that is rolled back is removed")
    func copyRolledBack() async throws {
        try await TestApplication.run { app in
            var first = Album(title: "first")
            first.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
            try await app.database.insert(&first)
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { transaction in
                    _ = try await transaction.copy(first.paper, for: \Album.$paper)
                    throw CancellationError()
                }
            }
            expectEqual(try await app.paperNames(), [first.paper?.name.string])
        }
    }

    @Test("A file of another storage is copied through this process")
    func copyFromElsewhere() async throws {
        try await TestApplication.run { app in
            let elsewhere = MemoryStorage(name: "elsewhere")
            let name = try await elsewhere.upload(.string("far"), to: StorageName(validating: "far.txt")).name
            let source = StorageFile(name: name, in: elsewhere)
            let copy = try #require(try await app.database.copy(source, for: \Album.$paper))
            #expect(try await copy.open().collect(upTo: 10) == ByteBuffer(string: "far"))
        }
    }
}

/// A model whose table has no triggers.
@Model("leaflets")
private struct Leaflet {
    var id: Int64?
    @StoredFile(in: .papers) var paper: StorageFile? = nil
}
