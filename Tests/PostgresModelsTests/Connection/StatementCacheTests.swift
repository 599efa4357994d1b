import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct StatementCacheTests {
    private static let countPrepared = "SELECT count(*)::int8 FROM pg_prepared_statements WHERE name LIKE 'sf_%'"

    @Test("A statement that runs five times is prepared once")
    func aStatementIsPreparedOnce() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        for value in 1...5 {
            #expect(try await connection.query("SELECT $1", .of(Int64(value))).int() == Int64(value))
        }
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 1)
    }

    @Test("A connection with prepared statements switched off prepares nothing")
    func nothingIsPreparedWhenSwitchedOff() async throws {
        var configuration = TestServer.configuration()
        configuration.preparedStatements = .off
        let connection = try await TestServer.connect(configuration)
        defer { connection.close() }
        #expect(try await connection.query("SELECT $1", .of(3)).int() == 3)
        #expect(try await connection.query(Self.countPrepared).int() == 0)
    }

    @Test("A prepared statement is prepared again after its table has changed")
    func aChangedTableIsPreparedAgain() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery("CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (1)")
        #expect(try await connection.query("SELECT * FROM t").columnCount == 1)
        try await connection.simpleQuery("ALTER TABLE t ADD COLUMN b int")
        #expect(try await connection.query("SELECT * FROM t").columnCount == 2)
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 1)
    }

    @Test("A stale statement fails its transaction, and the next transaction works")
    func inATransactionTheErrorSurfacesAndTheNextTransactionWorks() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery("CREATE TEMP TABLE t(a int); INSERT INTO t VALUES (1)")
        try await connection.query("SELECT * FROM t")
        try await connection.simpleQuery("ALTER TABLE t ADD COLUMN b int")
        try await connection.simpleQuery("BEGIN")
        let error = try await databaseError { try await connection.query("SELECT * FROM t") }
        #expect(error?.sqlState == "0A000")
        #expect(error?.code == .staleStatement)
        #expect(connection.transactionStatus == .inFailedTransaction)
        try await connection.simpleQuery("ROLLBACK")
        try await connection.simpleQuery("BEGIN")
        #expect(try await connection.query("SELECT * FROM t").columnCount == 2)
        try await connection.simpleQuery("COMMIT")
        // Outside of a transaction what is of no more use is cleared away with the next statement.
        try await connection.query("SELECT 'another'")
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 2)
    }

    @Test("An error 0A000 that a function raises is not taken for a stale statement")
    func anotherFeatureThatIsNotSupportedIsNoStaleStatement() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery(
            """
            CREATE FUNCTION pg_temp.refuse() RETURNS int LANGUAGE plpgsql AS \
            $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '0A000'; END $$
            """
        )
        for _ in 0..<2 {
            let error = try await databaseError { try await connection.query("SELECT pg_temp.refuse()") }
            #expect(error?.code == .queryFailed)
        }
    }

    @Test(
        "Statements work in a transaction after DISCARD ALL or DEALLOCATE ALL",
        arguments: ["DISCARD ALL", "DEALLOCATE ALL"]
    )
    func whatIsForgottenIsNotTrustedInATransaction(_ command: String) async throws {
        var configuration = TestServer.configuration()
        configuration.statementCacheCapacity = 16
        let connection = try await TestServer.connect(configuration)
        defer { connection.close() }
        let table = "forgotten_\(command.utf8.count)"
        // The first ones are evicted, and one is stale.
        try await connection.simpleQuery("CREATE TABLE \(table)(a int)")
        for value in 0..<30 { try await connection.query("SELECT \(value), $1", .of(1)) }
        try await connection.query("SELECT * FROM \(table)")
        try await connection.simpleQuery("ALTER TABLE \(table) ADD COLUMN b int")
        try await connection.simpleQuery("BEGIN")
        _ = try await databaseError { try await connection.query("SELECT * FROM \(table)") }
        try await connection.simpleQuery("ROLLBACK")
        try await connection.simpleQuery(command)
        try await connection.simpleQuery("BEGIN")
        for value in 0..<30 { try await connection.query("SELECT \(value), $1", .of(1)) }
        try await connection.query("SELECT * FROM \(table)")
        try await connection.simpleQuery("COMMIT")
        // Outside of the transaction, what was evicted in it is deallocated.
        try await connection.query("SELECT 'another', $1", .of(1))
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 16)
    }

    @Test("A deallocated statement is prepared again under another name, in a transaction it fails")
    func aStatementThatVanishedUnderItsNameIsPreparedAgainOutsideOfTransactions() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        let name = StatementKey(sql: "SELECT $1", oids: [20]).statementName
        try await connection.query("SELECT $1", .of(1))
        try await connection.simpleQuery("DEALLOCATE \(name)")
        #expect(try await connection.query("SELECT $1", .of(2)).int() == 2)

        let second = try #require(
            try await connection.query("SELECT name FROM pg_prepared_statements WHERE name LIKE 'sf_%'", cache: false)
                .string()
        )
        // A pooler that has seen the first name, and no DEALLOCATE, ends the session in which it is prepared again.
        #expect(second != name)
        try await connection.simpleQuery("DEALLOCATE \(second)")
        try await connection.simpleQuery("BEGIN")
        let error = try await databaseError { try await connection.query("SELECT $1", .of(3)) }
        #expect(error?.code == .staleStatement)
        #expect(error?.sqlState == "26000")
        #expect(error?.message.contains("set preparedStatements to .off") == true)
        try await connection.simpleQuery("ROLLBACK")
        try await connection.simpleQuery("BEGIN")
        #expect(try await connection.query("SELECT $1", .of(4)).int() == 4)
        try await connection.simpleQuery("COMMIT")
    }

    @Test("A statement name that is already taken fails at most one transaction")
    func aNameThatSomebodyElsePreparedCostsOneTransactionAtMost() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        let name = StatementKey(sql: "SELECT $1 + 2", oids: [20]).statementName
        try await connection.simpleQuery("PREPARE \(name)(int8) AS SELECT $1 + 2")
        try await connection.simpleQuery("BEGIN")
        let error = try await databaseError { try await connection.query("SELECT $1 + 2", .of(1)) }
        #expect(error?.code == .staleStatement)
        try await connection.simpleQuery("ROLLBACK")
        try await connection.simpleQuery("BEGIN")
        #expect(try await connection.query("SELECT $1 + 2", .of(1)).int() == 3)
        try await connection.simpleQuery("COMMIT")
    }

    @Test("Deallocating evicted statements that no longer exist causes no error")
    func obsoleteNamesThatThePoolerForgotAreNoError() async throws {
        var configuration = TestServer.configuration()
        configuration.statementCacheCapacity = 16
        let connection = try await TestServer.connect(configuration)
        defer { connection.close() }
        try await connection.simpleQuery("BEGIN")
        for value in 0..<20 { try await connection.query("SELECT \(value), $1", .of(1)) }
        try await connection.simpleQuery("COMMIT")
        let forgotten = StatementKey(sql: "SELECT 1, $1", oids: [20]).statementName
        try await connection.simpleQuery("DEALLOCATE \(forgotten)")
        try await connection.query("SELECT 'new', $1", .of(1))
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 16)
    }

    @Test("The cache never gives a name of a prepared statement twice in a session")
    func noNameComesTwiceInASession() async throws {
        var cache = StatementCache(capacity: 16)
        var names: Set<String> = []
        for round in 0..<40 {
            for number in 0..<20 {
                let key = StatementKey(sql: "SELECT \(number)", oids: [])
                if cache.use(key) != nil { continue }
                cache.makeRoom()
                let name = cache.form(of: key).name
                #expect(names.insert(name).inserted)
                cache.insert(key, name: name)
                if number == round % 20 { cache.forget(key, isOnServer: number.isMultiple(of: 2)) }
                cache.deallocated(Array(cache.obsolete))
            }
            if round % 8 == 7 { cache.removeAll() }
        }
    }

    @Test("A stale statement is prepared again under another name and with another text")
    func aStaleStatementGetsAnotherTextBecauseAPoolerKnowsItByThat() throws {
        var cache = StatementCache(capacity: 16)
        let key = StatementKey(sql: "SELECT * FROM t -- all", oids: [])
        let first = cache.form(of: key)
        #expect(first.sql == key.sql)
        cache.insert(key, name: first.name)
        cache.forget(key, isOnServer: true)
        let second = cache.form(of: key)
        #expect(second.sql.hasPrefix("SELECT * FROM t -- all\n/* "))
        #expect(second.name != first.name)
    }

    @Test("A connection stops preparing statements after it has lost three of them")
    func aSessionThatKeepsNothingIsAskedToKeepNoMoreAfterThreeLosses() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        for _ in 0..<6 {
            try await connection.query("SELECT $1", .of(1))
            let names = try await connection.query(
                "SELECT name FROM pg_prepared_statements WHERE name LIKE 'sf_%'",
                cache: false
            )
            guard let name = names.string() else { break }
            try await connection.simpleQuery("DEALLOCATE \(name)")
        }
        #expect(try await connection.query("SELECT $1", .of(7)).int() == 7)
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 0)
    }

    @Test("A statement is prepared again after DISCARD ALL")
    func statementsThatVanishedArePreparedAgain() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        #expect(try await connection.query("SELECT $1", .of(1)).int() == 1)
        try await connection.simpleQuery("DISCARD ALL")
        #expect(try await connection.query("SELECT $1", .of(2)).int() == 2)
    }

    @Test("A statement runs although its name is already prepared in the session")
    func aNameThatSomebodyElsePreparedIsUsed() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        let key = StatementKey(sql: "SELECT $1 + 1", oids: [20])
        try await connection.simpleQuery("PREPARE \(key.statementName)(int8) AS SELECT $1 + 1")
        #expect(try await connection.query("SELECT $1 + 1", .of(1)).int() == 2)
    }

    @Test("The statement cache evicts the least recently used statements first", arguments: [false, true])
    func theLeastRecentlyUsedGoFirst(inTransaction: Bool) async throws {
        var configuration = TestServer.configuration()
        configuration.statementCacheCapacity = 16
        let connection = try await TestServer.connect(configuration)
        defer { connection.close() }
        if inTransaction { try await connection.simpleQuery("BEGIN") }
        for value in 0..<100 {
            #expect(try await connection.query("SELECT \(value)::int8 + $1", .of(1)).int() == Int64(value + 1))
            #expect(try await connection.query("SELECT 'often', $1", .of(5)).int(0, 1) == 5)
            if inTransaction { continue }
            #expect(try #require(await connection.query(Self.countPrepared, cache: false).int()) <= 16)
        }
        // Evicted inside the transaction, still known to the server.
        #expect(try await connection.query("SELECT 3::int8 + $1", .of(1)).int() == 4)
        if inTransaction { try await connection.simpleQuery("COMMIT") }
        #expect(try await connection.query("SELECT 'a new one', $1", .of(6)).int(0, 1) == 6)
        #expect(try await connection.query(Self.countPrepared, cache: false).int() == 16)
    }

    @Test("Statements that differ only in Unicode normalization are prepared separately")
    func textsThatDifferOnlyInNormalisationAreDifferentStatements() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        #expect(try await connection.query("SELECT length('\u{E9}')::int8").int() == 1)
        #expect(try await connection.query("SELECT length('e\u{301}')::int8").int() == 2)
        #expect(StatementKey(sql: "a", oids: [20]).statementName != StatementKey(sql: "a", oids: [25]).statementName)
    }
}
