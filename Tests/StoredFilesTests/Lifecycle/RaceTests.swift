import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

/// Real sessions, held at the points where the protocol could lose a file or leave one behind.
@Suite("Races for a name", .timeLimit(.minutes(10)))
struct RaceTests {
    static let levels: [TransactionIsolation] = [.readCommitted, .repeatableRead, .serializable]

    /// The marking statement of the reaper, to be held open.
    private static let mark: SQL = """
        UPDATE stored_files.journal SET state = 'deleting', lease_until = clock_timestamp(), attempts = 0,
        transaction_id = pg_current_xact_id() WHERE name = 'n' AND state = 'condemned'
        """

    /// A second table whose rows name files of the same storage.
    private static let others = Migration("others") { schema in
        try await schema.create(table: "others") { table in
            table.identity()
            table.storedFile("paper", in: .papers)
        }
    }

    /// Returns whether a claim was refused as it must be at a level: at once, or because its snapshot is too old to
    /// know.
    private func isRefused(_ error: (any Error)?, at level: TransactionIsolation) -> Bool {
        let code = (error as? DatabaseError)?.code
        return code == (level == .readCommitted ? .objectInUse : .serializationFailure)
    }

    private func claim(_ name: String, in transaction: Transaction) async throws {
        try await transaction.execute("INSERT INTO albums (title, paper) VALUES ('claims', \(name))")
    }

    @Test("A row cannot claim a name that was marked for deletion after its snapshot", arguments: levels)
    func markedBeforeTheClaim(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            try await app.database.execute("DELETE FROM albums")
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.transaction(isolation: level) { transaction in
                    try await transaction.execute("SELECT 1")
                    try await app.drain()
                    try await app.database.execute(Self.mark)
                    try await claim("n", in: transaction)
                }
            }
            #expect(isRefused(error, at: level))
            #expect(try await app.database.count(Album.self) == 0)
            #expect(try await app.journal() == ["n": "deleting"])
            #expect(try await app.reapNow().deleted == 1)
        }
    }

    @Test("A claim that waits for the transaction of a reaper fails when that commits", arguments: levels)
    func claimWaitsForTheMark(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            try await app.database.execute("DELETE FROM albums")
            try await app.drain()
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.transaction(isolation: level) { writer in
                    try await writer.execute("SELECT 1")
                    async let claimed: Void = app.database.transaction { marker in
                        try await marker.execute(Self.mark)
                        try await app.waitUntilSomebodyWaits()
                    }
                    try await app.waitUntilMarking()
                    try await claim("n", in: writer)
                    try await claimed
                }
            }
            #expect(isRefused(error, at: level))
            #expect(try await app.database.count(Album.self) == 0)
        }
    }

    @Test("A claim that comes before a reaper keeps the file from it", arguments: levels, [true, false])
    func claimBeforeTheMark(level: TransactionIsolation, isInTheJournal: Bool) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            try await app.database.execute("DELETE FROM albums")
            if isInTheJournal { try await app.drain() }
            try await app.database.transaction(isolation: level) { writer in
                try await claim("n", in: writer)
                let report = try await app.database.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
                #expect(report.deleted == 0)
            }
            #expect(try await app.reapNow().deleted == 0)
            #expect(try await app.journal() == [:])
            #expect(try await app.paperNames() == ["n"])
        }
    }

    @Test("A claim that is rolled back leaves the name condemned", arguments: levels)
    func claimRolledBack(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            try await app.database.execute("DELETE FROM albums")
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction(isolation: level) { writer in
                    try await claim("n", in: writer)
                    throw CancellationError()
                }
            }
            #expect(try await app.journal() == ["n": "condemned"])
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }

    @Test(
        "A writer with a snapshot older than the condemnation claims the name or fails",
        arguments: levels,
        [true, false]
    )
    func snapshotOlderThanTheCondemnation(level: TransactionIsolation, isInTheJournal: Bool) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            var failure: (any Error)?
            do {
                try await app.database.transaction(isolation: level) { writer in
                    try await writer.execute("SELECT 1")
                    try await app.database.execute("DELETE FROM albums")
                    if isInTheJournal { try await app.drain() }
                    try await claim("n", in: writer)
                }
            } catch {
                failure = error
            }
            if level == .readCommitted || !isInTheJournal {
                #expect(failure == nil)
                #expect(try await app.reapNow().deleted == 0)
                #expect(try await app.journal() == [:])
                #expect(try await app.paperNames() == ["n"])
            } else {
                #expect((failure as? DatabaseError)?.code == .serializationFailure)
                #expect(try await app.database.count(Album.self) == 0)
                #expect(try await app.journal() == ["n": "condemned"])
            }
        }
    }

    @Test("A tombstone refuses a writer whose snapshot is older than the deletion", arguments: levels)
    func snapshotOlderThanTheDeletion(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.insertPapers(["n"])
            let error = await #expect(throws: DatabaseError.self) {
                try await app.database.transaction(isolation: level) { writer in
                    try await writer.execute("SELECT 1")
                    try await app.database.execute("DELETE FROM albums")
                    #expect(try await app.reapNow().deleted == 1)
                    #expect(try await app.journal() == ["n": "deleted"])
                    if level != .readCommitted {
                        // Not even a tombstone that is due goes while a snapshot from before it is in use.
                        let report = try await app.reapNow(ReaperConfiguration(retention: .zero, tombstoneAge: .zero))
                        #expect(report.forgotten == 0)
                    }
                    try await claim("n", in: writer)
                }
            }
            #expect(isRefused(error, at: level))
            #expect(try await app.database.count(Album.self) == 0)
            let isForgotten = try await eventually {
                try await app.reapNow(ReaperConfiguration(tombstoneAge: .zero)).forgotten == 1
            }
            #expect(isForgotten)
            #expect(try await app.journal() == [:])
        }
    }

    @Test("The reaper waits for an open transaction that names the file in another field")
    func anotherFieldNamesIt() async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(albumMigrations + [Self.others])
            try await app.insertPapers(["n"])
            try await app.database.transaction { writer in
                try await writer.execute("INSERT INTO others (paper) VALUES ('n')")
                try await app.database.execute("DELETE FROM albums")
                let report = try await app.database.reap(
                    ReaperConfiguration(retention: .zero),
                    waitLimit: .milliseconds(100)
                )
                #expect(report.deleted == 0 && report.revived == 0 && report.isWaiting)
                #expect(try await app.journal() == ["n": "deleting"])
            }
            try await expectRevival(in: app)
        }
    }

    @Test(
        "A name stays out of the journal while a writer above READ COMMITTED uses it elsewhere",
        arguments: [TransactionIsolation.repeatableRead, .serializable]
    )
    func condemnationWaits(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(albumMigrations + [Self.others])
            try await app.insertPapers(["n", "m"])
            try await app.database.transaction(isolation: level) { writer in
                try await writer.execute("INSERT INTO others (paper) VALUES ('n')")
                // Two statements, so that the other name can be moved without this one.
                try await app.database.execute("DELETE FROM albums WHERE paper = 'n'")
                try await app.database.execute("DELETE FROM albums WHERE paper = 'm'")
                try await app.drain()
                let left = try await app.database.query("SELECT unnest(names) FROM stored_files.let_go")
                #expect(try left.map { try $0.decode(String.self, at: 0) } == ["n"])
                let moved = try await app.database.query("SELECT name FROM stored_files.journal")
                #expect(try moved.map { try $0.decode(String.self, at: 0) } == ["m"])
            }
            #expect(try await app.reapNow().revived == 1)
            #expect(try await app.paperNames() == ["n"])
            try await app.database.execute("DELETE FROM others")
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }

    /// The file n lives, because the other table names it, and goes with that row.
    private func expectRevival(in app: TestApplication) async throws {
        let report = try await app.reapNow()
        #expect(report.deleted == 0 && report.revived == 1)
        #expect(try await app.journal() == [:])
        #expect(try await app.paperNames() == ["n"])
        try await app.database.execute("DELETE FROM others")
        #expect(try await app.reapNow().deleted == 1)
        #expect(try await app.paperNames() == [])
    }

    @Test("A file is deleted if the transaction that names it in another field rolls back")
    func anotherFieldNamedIt() async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(albumMigrations + [Self.others])
            try await app.insertPapers(["n"])
            await #expect(throws: CancellationError.self) {
                try await app.database.transaction { writer in
                    try await writer.execute("INSERT INTO others (paper) VALUES ('n')")
                    try await app.database.execute("DELETE FROM albums")
                    _ = try await app.database.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
                    throw CancellationError()
                }
            }
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }

    @Test("A name that is released while it is being revived is condemned again", arguments: levels)
    func letGoWhileRevived(level: TransactionIsolation) async throws {
        try await TestApplication.run { app in
            try await app.database.migrate(albumMigrations + [Self.others])
            try await app.insertPapers(["n"])
            try await app.database.execute("INSERT INTO others (paper) VALUES ('n')")
            try await app.database.execute("DELETE FROM albums")
            try await app.drain()
            try await app.database.execute(Self.mark)
            try await app.database.transaction { reaper in
                // Transactions of other databases may have to end first.
                try await waitUntil("the name is not taken") {
                    try await !reaper.query(
                        "SELECT is_live FROM stored_files.take('papers', 10, interval '1 minute')"
                    ).isEmpty
                }
                try await app.database.transaction(isolation: level) { writer in
                    try await writer.execute("DELETE FROM others")
                }
            }
            #expect(try await app.journal() == ["n": "condemned"])
            #expect(try await app.reapNow().deleted == 1)
            #expect(try await app.paperNames() == [])
        }
    }
}
