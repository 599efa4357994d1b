import NIOConcurrencyHelpers
import StoredFiles
import StoredFilesTesting
import Testing

/// Transactions above READ COMMITTED see old snapshots; what they do with files of their own must work all the same.
@Suite("Isolation levels", .timeLimit(.minutes(10)))
struct IsolationTests {
    static let levels: [TransactionIsolation] = [.readCommitted, .repeatableRead, .serializable]

    @Test(
        "A row can name a file stored after a read in its transaction, at every isolation level",
        arguments: levels
    )
    func storingAfterReading(_ level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            let database = app.database
            var album = Album(title: "before")
            album.paper = try await database.store(.string("before"), named: "b.txt", for: \Album.$paper)
            try await database.insert(&album)
            let existing = album
            try await database.transaction(isolation: level) { transaction in
                _ = try await transaction.query("SELECT count(*) FROM albums")
                // Store and insert, twice.
                for title in ["one", "two"] {
                    var album = Album(title: title)
                    album.paper = try await transaction.store(.string(title), named: "a.txt", for: \Album.$paper)
                    try await transaction.insert(&album)
                }
                // Find, store and update.
                let id = try #require(existing.id)
                var found = try #require(try await transaction.find(Album.self, id))
                found.paper = try await transaction.store(.string("after"), named: "a.txt", for: \Album.$paper)
                try await transaction.update(found)
                // A copy for a row of its own.
                var copy = Album(title: "copy")
                copy.paper = try await transaction.copy(found.paper, for: \Album.$paper)
                try await transaction.insert(&copy)
            }
            let replaced = try #require(existing.paper?.name.string)
            try await expireReservations(app)
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.journal() == [replaced: "deleted"])
            for album in try await database.all(Album.self) {
                #expect(try await album.paper?.exists() == true, "\(album.title)")
            }
            #expect(try await database.count(Album.self) == 4)
            #expect(try await app.paperNames().count == 4)
        }
    }

    @Test("A rollback removes the files that the transaction stored at every isolation level", arguments: levels)
    func rollback(_ level: TransactionIsolation) async throws {
        struct Stop: Error {}
        try await TestApplication.run { app in
            await #expect(throws: Stop.self) {
                try await app.database.transaction(isolation: level) { transaction in
                    _ = try await transaction.query("SELECT count(*) FROM albums")
                    var album = Album(title: "x")
                    album.paper = try await transaction.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    try await transaction.insert(&album)
                    throw Stop()
                }
            }
            expectEqual(try await app.paperNames(), [])
            expectEqual(try await app.states(), ["deleted"])
        }
    }

    @Test(
        "A claim at any isolation level keeps its file, or fails if the reaper was first",
        arguments: levels
    )
    func againstTheReaper(_ level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            let stored = NIOBox<StorageFile?>(nil)
            try await app.database.transaction(isolation: level) { transaction in
                _ = try await transaction.query("SELECT 1 FROM albums")
                var album = Album(title: "x")
                album.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
                stored.value = album.paper
                try await transaction.insert(&album)
                // The lease ends under the open transaction.
                try await expireReservations(app)
                let report = try await app.database.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
                #expect(report.deleted == 0)
            }
            try await expireReservations(app)
            #expect(try await app.reapNow().deleted == 0)
            #expect(try await stored.value?.exists() == true)
            #expect(try await app.journal() == [:])

            // The other way round.
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.transaction(isolation: level) { transaction in
                    _ = try await transaction.query("SELECT 1 FROM albums")
                    var album = Album(title: "late")
                    album.paper = try await app.database.store(.string("x"), named: "a.txt", for: \Album.$paper)
                    try await expireReservations(app)
                    try await app.database.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
                    try await transaction.insert(&album)
                }
            }
            #expect(error?.code == (level == .readCommitted ? .objectInUse : .serializationFailure))
            #expect(try await app.database.count(Album.self) == 1)
        }
    }

    /// All but those that a claim holds.
    private func expireReservations(_ app: TestApplication) async throws {
        try await app.database.execute(
            """
            UPDATE stored_files.reservations SET until = now() - interval '1 s' \
            WHERE ctid = ANY (ARRAY(SELECT ctid FROM stored_files.reservations FOR UPDATE SKIP LOCKED))
            """
        )
    }

    /// Something that writers do at the same time, each with names of its own.
    struct Workload: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// The step, which works in a transaction with a name that nobody else uses.
        let step: @Sendable (Transaction, Database, String) async throws -> Void
    }

    static let workloads: [Workload] = [
        Workload(testDescription: "INSERT") { transaction, _, name in
            try await transaction.execute("INSERT INTO plain (paper) VALUES (\(name))")
        },
        Workload(testDescription: "store and INSERT") { transaction, database, name in
            let file = try await database.store(.string(name), named: "a.txt", for: \Plain.$paper)
            try await transaction.execute("INSERT INTO plain (paper) VALUES (\(file.name.string))")
        },
        Workload(testDescription: "INSERT and DELETE") { transaction, _, name in
            try await transaction.execute("INSERT INTO plain (paper) VALUES (\(name))")
            try await transaction.execute("DELETE FROM plain WHERE paper = \(name)")
        },
        Workload(testDescription: "INSERT and UPDATE") { transaction, _, name in
            try await transaction.execute("INSERT INTO plain (paper) VALUES (\(name))")
            try await transaction.execute("UPDATE plain SET paper = \(name + "/2") WHERE paper = \(name)")
        },
        Workload(testDescription: "INSERT of many") { transaction, _, name in
            try await transaction.execute(
                "INSERT INTO plain (paper) SELECT \(name) || '/' || i FROM generate_series(1, 150) AS i"
            )
        },
    ]

    @Test(
        "Independent serializable writers do not fail because of the journal",
        arguments: workloads
    )
    func serializableWriters(_ workload: Workload) async throws {
        try await TestApplication.run(poolSize: 8) { app in
            let database = app.database
            try await database.migrate(
                albumMigrations + [
                    Migration("plain") { schema in
                        try await schema.create(table: "plain") { table in
                            table.identity()
                            table.storedFile("paper", in: .papers)
                        }
                        // Its own index is not what is looked at.
                        try await schema.execute("ALTER TABLE plain DROP CONSTRAINT plain_paper_names_one_row")
                        try await schema.execute("ALTER TABLE plain DROP CONSTRAINT plain_pkey")
                        try await schema.execute("CREATE INDEX ON plain USING hash (paper)")
                    }
                ]
            )
            // Enough that neither table is one page.
            try await database.execute(
                "INSERT INTO plain (paper) SELECT 'old/' || i FROM generate_series(1, 20000) AS i"
            )
            try await database.execute(
                """
                INSERT INTO stored_files.journal (storage, name, state) \
                SELECT 'papers', 'z' || i, 'condemned' FROM generate_series(1, 20000) AS i
                """
            )
            try await database.execute("ANALYZE")
            let failures = try await withThrowingTaskGroup(of: [DatabaseError].self) { group in
                for task in 0..<8 {
                    group.addTask {
                        var failures: [DatabaseError] = []
                        for step in 0..<20 {
                            do {
                                try await database.transaction(isolation: .serializable) { transaction in
                                    try await workload.step(
                                        transaction,
                                        database,
                                        "\(task)/\(step)/\(StorageName.timeOrderedID())"
                                    )
                                }
                            } catch let error as DatabaseError {
                                failures.append(error)
                            }
                        }
                        return failures
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let journal = failures.filter { "\($0)".contains("stored_files") || $0.code != .serializationFailure }
            #expect(journal.isEmpty, "\(journal.first.map { "\($0)" } ?? "")")
            #expect(failures.isEmpty, "\(failures.count) of 160: \(failures.first.map { "\($0)" } ?? "")")
        }
    }
}

/// A table with nothing but a file.
@Model("plain")
private struct Plain {
    var id: Int64?
    @StoredFile(in: .papers)
    var paper: StorageFile? = nil
}

/// A value that a closure leaves behind.
private final class NIOBox<Value: Sendable>: Sendable {
    private let box: NIOLockedValueBox<Value>

    init(_ value: Value) { box = NIOLockedValueBox(value) }

    var value: Value {
        get { box.withLockedValue { $0 } }
        set { box.withLockedValue { $0 = newValue } }
    }
}
