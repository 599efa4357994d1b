import Platform
import StoredFilesTesting
import Testing

@testable import PostgresModels

/// Behind a real PgBouncer in transaction mode, which hands sessions around.
@Suite("PgBouncer", .timeLimit(.minutes(10)))
struct PgBouncerTests {
    private static func withBouncer(
        poolSize: Int = 2,
        follows statements: DatabaseConfiguration.PreparedStatements = .off,
        _ body: (_ address: String, _ direct: String) async throws -> Void
    ) async throws {
        try await TemporaryPostgres.testPermits.withPermit {
            let server = try await TemporaryPostgres.shared()
            let direct = try await server.makeDatabase()
            let bouncer = try await TemporaryPgBouncer.start(
                before: server,
                .init(poolSize: poolSize, maxPreparedStatements: statements == .off ? 0 : 100)
            )
            do {
                try await body(bouncer.address(of: direct), direct)
                await bouncer.stop()
            } catch {
                await bouncer.stop()
                throw error
            }
        }
    }

    private static func withDatabase(
        _ address: String,
        _ configuration: DatabaseConfiguration,
        _ body: (Database) async throws -> Void
    ) async throws {
        let database = try await Database.connect(address, configuration: configuration)
        do {
            try await body(database)
            await database.close()
        } catch {
            await database.close()
            throw error
        }
    }

    @Test("More concurrent transactions than sessions of PgBouncer all complete")
    func moreTransactionsThanSessions() async throws {
        try await checkMoreTransactionsThanSessions(.off)
    }

    @Test(
        "More transactions than sessions of PgBouncer complete with followed prepared statements",
        .followedStatements
    )
    func moreTransactionsThanSessionsWithPreparedStatements() async throws {
        try await checkMoreTransactionsThanSessions(.cached)
    }

    private func checkMoreTransactionsThanSessions(_ mode: DatabaseConfiguration.PreparedStatements) async throws {
        try await Self.withBouncer(follows: mode) { address, direct in
            let configuration = DatabaseConfiguration(poolSize: 16, preparedStatements: mode)
            try await Self.withDatabase(address, configuration) { database in
                try await database.execute("CREATE TABLE t (n int8)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<16 {
                        group.addTask {
                            for round in 0..<10 {
                                try await database.transaction { transaction in
                                    try await transaction.execute("INSERT INTO t VALUES (\(task * 10 + round))")
                                    let rows = try await transaction.query("SELECT count(*) FROM t WHERE n >= \(0)")
                                    #expect(rows.count == 1)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                let sum = try await database.query("SELECT count(DISTINCT n), sum(n)::int8 FROM t").first
                #expect(try sum?.decode(Int.self, at: 0) == 160)
                #expect(try sum?.decode(Int.self, at: 1) == 160 * 159 / 2)
            }
        }
    }

    @Test("Statements over the direct address do not wait for sessions that transactions hold")
    func directAddress() async throws {
        try await Self.withBouncer(poolSize: 1) { address, direct in
            let configuration = DatabaseConfiguration(directAddress: direct, preparedStatements: .off)
            try await Self.withDatabase(address, configuration) { database in
                try await database.execute("CREATE TABLE t (n int8)")
                try await database.transaction { transaction in
                    try await transaction.execute("INSERT INTO t VALUES (1)")
                    _ = try await database.runIndependently("INSERT INTO t VALUES (2)")
                    try await database.maintenanceTransaction(isIndependent: true) {
                        try await $0.execute("INSERT INTO t VALUES (3)")
                    }
                }
                #expect(try await database.query("SELECT FROM t").count == 3)

                var notifications = database.listen(to: "c").makeAsyncIterator()
                #expect(try await notifications.next() == .listening)
                try await database.notify("c", payload: "here")
                guard case .notification("c", "here", _) = try await notifications.next() else {
                    Issue.record("nothing was notified")
                    return
                }
            }
        }
    }

    @Test("Two programs never migrate at once through PgBouncer, and no lock stays", arguments: [false, true])
    func migrators(hasDirectAddress: Bool) async throws {
        try await Self.withBouncer(poolSize: 3) { address, direct in
            // Another program that comes meanwhile fails, because the table is there and the note is not yet.
            let slow = Migration("slow", outsideTransaction: true) { schema in
                try await schema.execute("CREATE TABLE once (n int)")
                try await schema.execute("SELECT pg_sleep(0.2)")
            }
            let migrations = [Author.migration, slow]
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        var configuration = DatabaseConfiguration(poolSize: 2, preparedStatements: .off)
                        if hasDirectAddress { configuration.directAddress = direct }
                        let database = try await Database.connect(address, configuration: configuration)
                        let names = try await database.migrate(migrations)
                        await database.close()
                        return names
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == ["create authors", "slow"])
            try await Self.withDatabase(direct, DatabaseConfiguration()) { database in
                let locks = try await database.query(
                    """
                    SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database \
                    WHERE locktype = 'advisory' AND datname = current_database()
                    """
                )
                #expect(locks.isEmpty)
                // An older program takes the lock for its session, and its lock counts like any other.
                try await database.pool.withConnection { other in
                    try await other.simpleQuery("SELECT pg_advisory_lock(\(0x73_74_6f_72_65_64))")
                    let error = await #expect(throws: MigrationError.self) {
                        try await database.migrate(migrations, timeout: .milliseconds(1))
                    }
                    #expect(error?.code == .locked)
                    try await other.simpleQuery("SELECT pg_advisory_unlock_all()")
                }
            }
        }
    }

    @Test("An ALTER TABLE and a full statement cache cost no connection behind PgBouncer")
    func staleAndEvictedStatements() async throws {
        try await checkStaleAndEvictedStatements(.off)
    }

    @Test("An ALTER TABLE costs no connection with prepared statements that PgBouncer follows", .followedStatements)
    func staleAndEvictedStatementsWithPreparedStatements() async throws {
        try await checkStaleAndEvictedStatements(.cached)
    }

    private func checkStaleAndEvictedStatements(_ mode: DatabaseConfiguration.PreparedStatements) async throws {
        try await Self.withBouncer(follows: mode) { address, direct in
            var configuration = DatabaseConfiguration(poolSize: 4, preparedStatements: mode)
            configuration.statementCacheCapacity = 16
            let changer = try await PostgresConnection.connect(direct)
            defer { changer.close() }
            try await changer.simpleQuery("CREATE TABLE t (a int)")
            try await Self.withDatabase(address, configuration) { database in
                for columns in 1...4 {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                for _ in 0..<4 {
                                    let names = try await database.query("SELECT * FROM t").columnNames
                                    #expect(names.count == columns)
                                    let inside = try await database.transaction(retrying: 8) {
                                        try await $0.query("SELECT * FROM t WHERE true").columnNames
                                    }
                                    #expect(inside.count == columns)
                                }
                                for number in 0..<40 {
                                    let sql: SQL = "SELECT \(raw: "\(number)")::int8 + \(1)"
                                    let row = try await database.query(sql).first
                                    #expect(try row?.decode(Int.self, at: 0) == number + 1)
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await changer.simpleQuery("ALTER TABLE t ADD COLUMN c\(columns) int")
                }
                #expect(database.pool.statistics.evicted == 0)
            }
        }
    }

    @Test("Prepared statements that PgBouncer does not follow cost at most three errors per connection")
    func statementsThatAreNotFollowed() async throws {
        try await Self.withBouncer { address, _ in
            try await Self.withDatabase(address, DatabaseConfiguration(poolSize: 8)) { database in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<8 {
                        group.addTask {
                            for round in 0..<40 {
                                let sql: SQL = "SELECT \(raw: "\(round % 8)")::int8 + \(task)"
                                let row = try await database.query(sql).first
                                #expect(try row?.decode(Int.self, at: 0) == round % 8 + task)
                                let inside = try await database.transaction(retrying: 24) {
                                    try await $0.query(sql).first
                                }
                                #expect(try inside?.decode(Int.self, at: 0) == round % 8 + task)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// For tests that need a PgBouncer that follows prepared statements; without one they are skipped with this reason.
    static var followedStatements: Self {
        .enabled("this PgBouncer is older than 1.21 and follows no prepared statements (Scripts/pgbouncer makes one)") {
            try await TemporaryPgBouncer.followsPreparedStatements()
        }
    }
}
