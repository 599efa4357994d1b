import NIOCore
import Platform
import StoredFiles
import StoredFilesTesting
import Testing

/// The promises of the lifecycle where sessions change hands after each transaction.
@Suite("The lifecycle behind PgBouncer", .timeLimit(.minutes(10)))
struct PgBouncerLifecycleTests {
    @Test("Behind PgBouncer, every row has its file and no other file stays")
    func filesAndRowsAgree() async throws {
        try await TemporaryPostgres.testPermits.withPermit { try await live(.off) }
    }

    @Test(
        "Behind PgBouncer with prepared statements, every row has its file and no other file stays",
        .enabled("this PgBouncer is older than 1.21 and follows no prepared statements (Scripts/pgbouncer makes one)") {
            try await TemporaryPgBouncer.followsPreparedStatements()
        }
    )
    func filesAndRowsAgreeWithPreparedStatements() async throws {
        try await TemporaryPostgres.testPermits.withPermit { try await live(.cached) }
    }

    private func live(_ mode: DatabaseConfiguration.PreparedStatements) async throws {
        let server = try await TemporaryPostgres.shared()
        let direct = try await server.makeDatabase()
        let bouncer = try await TemporaryPgBouncer.start(
            before: server,
            .init(poolSize: 2, maxPreparedStatements: mode == .off ? 0 : 100)
        )
        let papers = MemoryStorage(name: "papers")
        do {
            let database = try await Database.connect(
                bouncer.address(of: direct),
                storages: StorageRegistry([.pictures: MemoryStorage(name: "pictures"), .papers: papers]),
                configuration: DatabaseConfiguration(poolSize: 16, directAddress: direct, preparedStatements: mode)
            )
            do {
                try await database.migrate(albumMigrations)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<16 { group.addTask { try await write(task, to: database) } }
                    try await group.waitForAll()
                }
                try await expectAgreement(database, papers)
            } catch {
                await database.close()
                throw error
            }
            await database.close()
        } catch {
            await bouncer.stop()
            throw error
        }
        await bouncer.stop()
    }

    /// Stores, inserts, replaces, deletes and rolls back, as one of many.
    private func write(_ task: Int, to database: Database) async throws {
        for round in 0..<4 {
            let title = "\(task)-\(round)"
            var album = try await insert(title, into: database)
            // Rolled back as a whole, with what a savepoint kept.
            await #expect(throws: CancellationError.self) {
                try await database.transaction { transaction in
                    var lost = Album(title: "lost")
                    lost.paper = try await transaction.store(.string("lost"), named: "a.txt", for: \Album.$paper)
                    try await transaction.transaction { try await $0.insert(&lost) }
                    throw CancellationError()
                }
            }
            switch round {
            case 1:
                // Replaced, and the savepoint that replaced it once more is rolled back.
                try await database.transaction { transaction in
                    album.paper = try await transaction.store(
                        .string("new \(title)"),
                        named: "b.txt",
                        for: \Album.$paper
                    )
                    album.title = "new \(title)"
                    try await transaction.update(album)
                    var other = album
                    await #expect(throws: CancellationError.self) {
                        try await transaction.transaction { inner in
                            other.paper = try await inner.store(.string("gone"), named: "c.txt", for: \Album.$paper)
                            try await inner.update(other)
                            throw CancellationError()
                        }
                    }
                }
            case 2:
                try await database.transaction { transaction in _ = try await transaction.delete(album) }
            case 3:
                await #expect(throws: CancellationError.self) {
                    try await database.transaction { transaction in
                        _ = try await transaction.delete(album)
                        throw CancellationError()
                    }
                }
            default: break
            }
        }
    }

    private func insert(_ title: String, into database: Database) async throws -> Album {
        try await database.transaction { transaction in
            var album = Album(title: title)
            album.paper = try await transaction.store(.string(title), named: "a.txt", for: \Album.$paper)
            try await transaction.insert(&album)
            return album
        }
    }

    private func expectAgreement(_ database: Database, _ papers: MemoryStorage) async throws {
        let report = try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .seconds(60))
        for refusal in report.refusals { throw refusal.error }
        let albums = try await database.all(Album.self)
        // Of the four of each task one was deleted.
        #expect(albums.count == 16 * 3)
        #expect(albums.count { $0.title.hasPrefix("new ") } == 16)
        for album in albums {
            let paper = try #require(album.paper)
            #expect(try await paper.open().collect(upTo: 100) == ByteBuffer(string: album.title))
        }
        var names: [String] = []
        for try await info in papers.list(prefix: "") { names.append(info.name.string) }
        #expect(Set(names) == Set(albums.compactMap { $0.paper?.name.string }))
        let unfinished = try await database.query(
            """
            SELECT FROM stored_files.reservations UNION ALL SELECT FROM stored_files.let_go \
            UNION ALL SELECT FROM stored_files.journal WHERE state <> 'deleted'
            """
        )
        #expect(unfinished.isEmpty)
    }
}
