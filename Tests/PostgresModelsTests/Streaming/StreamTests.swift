import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite("Streams of rows")
struct StreamTests {
    struct Stop: Error {}

    private func withAuthors(
        _ count: Int,
        poolSize: Int = 2,
        _ body: (Database) async throws -> Void
    ) async throws {
        try await withDatabase(poolSize: poolSize) { database in
            try await database.migrate([Author.migration])
            try await database.execute(
                "INSERT INTO authors (name, born) SELECT 'author ' || n, n FROM generate_series(1, \(count)) AS n"
            )
            try await body(database)
        }
    }

    private func isGivenBack(_ database: Database) async throws -> Bool {
        try await eventually {
            let statistics = database.statistics
            return statistics.openConnections == statistics.idleConnections
        }
    }

    @Test("A stream returns all rows in order", arguments: [0, 1, 99, 100, 101, 1100, 5000])
    func allRowsComeInOrder(_ count: Int) async throws {
        try await withAuthors(count) { database in
            var born: [Int32?] = []
            for try await author in database.stream(Author.self, "WHERE born > \(0) ORDER BY born") {
                born.append(author.born)
            }
            #expect(born == (0..<count).map { Int32($0 + 1) })
            #expect(database.statistics.openConnections == database.statistics.idleConnections)
            let names = try await database.stream("SELECT name FROM authors ORDER BY id").reduce(into: [String]()) {
                $0.append(try $1.decode(String.self, at: 0))
            }
            #expect(names == (0..<count).map { "author \($0 + 1)" })
        }
    }

    @Test("A cursor holds no more than one batch of rows, which is smaller for large rows")
    func noMoreThanABatchIsHeld() async throws {
        try await withDatabase { database in
            let cursor = RowCursor(
                "SELECT n, repeat('x', 100) FROM generate_series(1, 200000) AS n",
                in: .database(database)
            )
            var batches = 0
            while let rows = try await cursor.nextBatch() {
                #expect(rows.count <= RowCursor.maximumRows)
                batches += 1
            }
            #expect(batches > 199)
            let wide = RowCursor("SELECT repeat('x', 1000000) FROM generate_series(1, 150)", in: .database(database))
            let first = try #require(await wide.nextBatch()).count
            let second = try #require(await wide.nextBatch()).count
            #expect(first == 100)
            #expect(second <= 8)
            await wide.abort()
        }
    }

    @Test("A stream returns the rows of one snapshot although they are deleted meanwhile")
    func theRowsAreOfOneMoment() async throws {
        try await withAuthors(3000) { database in
            var count = 0
            for try await _ in database.stream(Author.self) {
                if count == 0 { try await database.execute("DELETE FROM authors") }
                count += 1
            }
            #expect(count == 3000)
        }
    }

    @Test("Leaving a loop over a stream returns its connection to the pool")
    func aLoopThatIsLeftGivesTheConnectionBack() async throws {
        try await withAuthors(3000, poolSize: 1) { database in
            for _ in 0..<3 {
                for try await _ in database.stream(Author.self) { break }
                for try await _ in database.stream("SELECT 1 FROM authors") { break }
                await #expect(throws: Stop.self) { for try await _ in database.stream(Author.self) { throw Stop() } }
            }
            #expect(try await database.count(Author.self) == 3000)
            #expect(try await isGivenBack(database))
            #expect(database.statistics.openConnections == 1)
        }
    }

    @Test("A stream that fails midway throws the error and returns its connection")
    func aFailureInTheMiddleIsThrownAndTheConnectionGivenBack() async throws {
        try await withDatabase(poolSize: 1) { database in
            var seen = 0
            let error = try await databaseError {
                for try await _ in database.stream("SELECT 1 / (150 - n) FROM generate_series(1, 500) AS n") {
                    seen += 1
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(seen == 100)
            let broken = try await databaseError { for try await _ in database.stream("SELEC 1") {} }
            #expect(broken?.code == .invalidStatement)
            let writing = try await databaseError { for try await _ in database.stream("SELECT nextval('nothing')") {} }
            #expect(writing?.code == .undefinedObject)
            let wrong = try await databaseError { for try await _ in database.stream(Author.self) {} }
            #expect(wrong?.code == .undefinedObject)
            #expect(database.statistics.idleConnections == 1)
            #expect(database.statistics.openConnections == 1)
        }
    }

    @Test("A row that cannot be decoded ends the stream")
    func aRowThatDoesNotFitEndsTheStream() async throws {
        try await withAuthors(10, poolSize: 1) { database in
            try await database.execute("ALTER TABLE authors ALTER name DROP NOT NULL")
            try await database.execute("UPDATE authors SET name = NULL WHERE born = 5")
            var iterator = database.stream(Author.self, "ORDER BY born").makeAsyncIterator()
            for _ in 0..<4 { #expect(try await iterator.next() != nil) }
            do {
                _ = try await iterator.next()
                Issue.record("NULL was read")
            } catch let error as DatabaseError {
                #expect(error.column == "name")
            }
            #expect(try await iterator.next() == nil)
            #expect(database.statistics.idleConnections == 1)
        }
    }

    @Test("Cancelling a task ends its stream and returns the connection", arguments: [5, 150])
    func cancellingEndsTheStreamAndGivesTheConnectionBack(_ rows: Int) async throws {
        try await withAuthors(3000, poolSize: 1) { database in
            let task = Task {
                var seen = 0
                for try await _ in database.stream(Author.self) {
                    seen += 1
                    if seen == rows { withUnsafeCurrentTask { $0?.cancel() } }
                    #expect(seen <= rows)
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(database.statistics.idleConnections == 1)
            let count = try await database.count(Author.self)
            #expect(count == 3000)
        }
    }

    @Test("Cancelling a stream stops a statement that the server is still running")
    func cancellingWhileTheServerWorksStopsIt() async throws {
        try await withDatabase(poolSize: 1) { database in
            let task = Task { for try await _ in database.stream("SELECT pg_sleep(30)") {} }
            let isWorking = try await eventually { database.statistics.statements >= 2 }
            #expect(isWorking)
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(database.statistics.idleConnections == 1)
        }
    }

    @Test("A stream of a transaction shows its own changes, and allows writes in between")
    func aTransactionStreamsWhatItWroteAndMayWriteInBetween() async throws {
        try await withAuthors(2500, poolSize: 1) { database in
            try await database.transaction { transaction in
                try await transaction.execute("UPDATE authors SET name = 'new ' || id")
                for try await author in transaction.stream(Author.self, "ORDER BY id") {
                    #expect(author.name.hasPrefix("new "))
                    if author.born?.isMultiple(of: 500) == true {
                        try await transaction.execute("UPDATE authors SET born = 0 WHERE id = \(author.id)")
                    }
                }
                let open = try await transaction.query("SELECT count(*) FROM pg_cursors WHERE name LIKE 'sf_cursor%'")
                #expect(try open.first?.decode(Int.self, at: 0) == 0)
            }
            #expect(try await database.count(Author.self, "WHERE born = 0") == 5)
        }
    }

    @Test("A cursor of a loop that was left is closed before the next statement of its transaction")
    func aCursorThatIsLeftIsClosedBeforeTheNextStatementOfItsTransaction() async throws {
        try await withAuthors(500, poolSize: 1) { database in
            try await database.transaction { transaction in
                for _ in 0..<3 {
                    for try await _ in transaction.stream(Author.self) { break }
                    try await transaction.transaction { inner in
                        for try await _ in inner.stream(Author.self) { break }
                    }
                    // The cursor of a savepoint that rolls back is gone already.
                    try? await transaction.transaction { inner in
                        for try await _ in inner.stream(Author.self) { throw Stop() }
                    }
                }
                let open = try await transaction.query("SELECT count(*) FROM pg_cursors WHERE name LIKE 'sf_cursor%'")
                #expect(try open.first?.decode(Int.self, at: 0) == 0)
            }
        }
    }

    @Test("Two interleaved streams of one transaction do not mix their rows")
    func twoStreamsOfOneTransactionDoNotMix() async throws {
        try await withAuthors(300, poolSize: 1) { database in
            try await database.transaction { transaction in
                var up = transaction.stream(Author.self, "ORDER BY born").makeAsyncIterator()
                var down = transaction.stream(Author.self, "ORDER BY born DESC").makeAsyncIterator()
                for number in 1...300 {
                    let (rising, falling) = (try await up.next(), try await down.next())
                    #expect(rising?.born == Int32(number))
                    #expect(falling?.born == Int32(301 - number))
                }
                let end = try await up.next()
                #expect(end == nil)
            }
        }
    }

    @Test("A stream throws an error after its transaction has ended")
    func aStreamIsOfNoUseAfterItsTransaction() async throws {
        try await withAuthors(300, poolSize: 1) { database in
            var iterator = try await database.transaction { transaction in
                var iterator = transaction.stream(Author.self).makeAsyncIterator()
                _ = try await iterator.next()
                return iterator
            }
            do {
                while try await iterator.next() != nil {}
                Issue.record("rows after the end")
            } catch let error as DatabaseError {
                #expect(error.code == .closed)
            }
            #expect(try await database.count(Author.self) == 300)
        }
    }
}
