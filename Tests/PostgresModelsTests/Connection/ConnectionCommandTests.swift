import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct ConnectionCommandTests {
    @Test("Parameters of each kind come back from the server as they were sent")
    func valuesOfEachKindComeBackAsTheyWereSent() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        var parameters = QueryParameters(capacity: 64)
        try parameters.bind(41)
        try parameters.bind("grüße 🐘")
        try parameters.bind([0, 1, 255])
        parameters.appendNull(oid: 20)
        try parameters.bind("")
        let result = try await connection.query("SELECT $1 + 1 AS n, $2, $3, $4, $5", parameters)
        #expect(result.rowCount == 1)
        #expect(result.columnCount == 5)
        #expect(result.columnName(0) == "n")
        #expect((0..<5).map { result.columnOID($0) } == [20, 25, 17, 20, 25])
        #expect(result.int() == 42)
        #expect(result.string(0, 1) == "grüße 🐘")
        #expect(withExtendedLifetime(result) { result.cell(row: 0, column: 2).map(Array.init) } == [0, 1, 255])
        #expect(result.cell(row: 0, column: 3) == nil)
        #expect(withExtendedLifetime(result) { result.cell(row: 0, column: 4)?.count } == 0)
        #expect(result.commandTag == "SELECT 1")
        #expect(result.cell(row: 1, column: 0) == nil)
        #expect(result.cell(row: 0, column: 5) == nil)
    }

    @Test("A parameter of eight megabytes is sent through a socket that fills up")
    func eightMegabytesFitThroughASocketThatFillsUp() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        let bytes = (0..<(8 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        var parameters = QueryParameters()
        try parameters.bind(bytes)
        let result = try await connection.query("SELECT $1 || $1, length($1)::int8", parameters)
        #expect(result.int(0, 1) == 8 << 20)
        #expect(withExtendedLifetime(result) { result.cell(row: 0, column: 0)?.elementsEqual(bytes + bytes) } == true)
    }

    @Test("A reactor on poll() serves large parameters, many statements and a lost connection")
    func thePollFallbackCarriesTheSameLoad() async throws {
        let reactor = try Reactor(poller: PollPoller())
        let target = try await ConnectionTarget(TestServer.url())
        let connection = try await PostgresConnection.connect(
            target,
            configuration: TestServer.configuration(),
            reactor: reactor
        )
        var parameters = QueryParameters()
        try parameters.bind([UInt8](repeating: 7, count: 8 << 20))
        #expect(try await connection.query("SELECT length($1)::int8", parameters).int() == 8 << 20)
        for value in 0..<200 {
            #expect(try await connection.query("SELECT $1", .of(Int64(value))).int() == Int64(value))
        }
        let other = try await TestServer.connect()
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
        #expect(try await eventually { !connection.isUsable })
        other.close()
        connection.close()
        reactor.stop()
    }

    @Test("Tasks that run on the executor of the pool get their rows")
    func tasksOnTheReactorGetTheirRows() async throws {
        let pool = try await TestServer.pool()
        let sum = try await withThrowingTaskGroup(of: Int64.self) { group in
            for value in 1...100 {
                group.addTask(executorPreference: pool.executor) {
                    try await pool.withConnection { try await $0.query("SELECT $1", .of(Int64(value))).int() ?? 0 }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 5050)
        await pool.close()
    }

    @Test("Errors of the server carry code, constraint and column, and show no values")
    func errorsCarryCodeNamesAndNoValues() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery(
            "CREATE TEMP TABLE t(id int8 CONSTRAINT t_key PRIMARY KEY, n int NOT NULL CONSTRAINT positive CHECK (n > 0))"
        )
        try await connection.simpleQuery("INSERT INTO t VALUES (987654, 1)")
        let cases: [(sql: String, code: DatabaseError.Code, state: String, constraint: String?, column: String?)] = [
            ("INSERT INTO t VALUES (987654, 1)", .uniqueViolation, "23505", "t_key", nil),
            ("INSERT INTO t VALUES (2, NULL)", .notNullViolation, "23502", nil, "n"),
            ("INSERT INTO t VALUES (987653, -987654)", .checkViolation, "23514", "positive", nil),
            ("SELECT '987654x'::int", .invalidData, "22P02", nil, nil),
            ("SELEC 1", .invalidStatement, "42601", nil, nil),
            ("SELECT * FROM nowhere", .undefinedObject, "42P01", nil, nil),
            ("SELECT 1; SELECT 2", .invalidStatement, "42601", nil, nil),
        ]
        for expected in cases {
            let error = try await databaseError { try await connection.query(expected.sql) }
            #expect(error?.code == expected.code)
            #expect(error?.sqlState == expected.state)
            #expect(error?.constraint == expected.constraint)
            #expect(error?.column == expected.column)
            #expect(error?.description.contains("987654") == false)
        }
        #expect(try await connection.query("SELECT 1::int8").int() == 1)
    }

    @Test("NUL bytes and too many parameters are refused, and the connection stays usable")
    func whatTheProtocolCannotCarryIsRefusedBeforeItIsSent() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        var many = QueryParameters()
        for value in 0..<65_536 { try many.bind(Int64(value)) }
        let attempts: [() async throws -> Void] = [
            { try await connection.query("SELECT 1\0 garbage") },
            { try await connection.query("SELECT 1\0 garbage", cache: false) },
            { try await connection.simpleQuery("SELECT 1\0; garbage") },
            { try await connection.query("SELECT 1", many) },
        ]
        for attempt in attempts {
            #expect(try await databaseError(attempt)?.code == .invalidArgument)
        }
        var text = QueryParameters()
        try text.bind("a\0b")
        // Text goes as binary, so the server sees the NUL and refuses it instead of cutting the value.
        #expect(try await databaseError { try await connection.query("SELECT $1", text) }?.sqlState == "22021")
        #expect(try await connection.query("SELECT 1::int8").int() == 1)
    }

    @Test("COPY leaves the connection usable")
    func copyEndsWithAnErrorOrNothingAndLeavesTheConnectionUsable() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        try await connection.simpleQuery("CREATE TEMP TABLE c(n int8)")
        let error = try await databaseError { try await connection.simpleQuery("COPY c FROM STDIN") }
        #expect(error?.sqlState == "57014")
        try await connection.simpleQuery("COPY (SELECT generate_series(1, 50000)) TO STDOUT")
        #expect(try await connection.query("SELECT count(*) FROM c").int() == 0)
    }

    @Test("A connection refuses a second command while one is running")
    func aSecondCommandAtTheSameTimeIsRefused() async throws {
        let connection = try await TestServer.connect()
        defer { connection.close() }
        async let slow = connection.query("SELECT pg_sleep(0.3), 1::int8")
        #expect(try await eventually { connection.transactionStatus == .active })
        #expect(try await databaseError { try await connection.query("SELECT 1") }?.code == .commandInProgress)
        let finished = try await slow
        #expect(finished.int(0, 1) == 1)
    }

    @Test("Closing a connection ends its running query with an error")
    func closingEndsWhatIsRunning() async throws {
        let connection = try await TestServer.connect()
        let task = Task { try await connection.query("SELECT pg_sleep(20)") }
        #expect(try await eventually { connection.transactionStatus == .active })
        connection.close()
        connection.close()
        #expect(try await databaseError { _ = try await task.value }?.code == .closed)
        #expect(try await databaseError { try await connection.query("SELECT 1") }?.code == .closed)
        #expect(!connection.isUsable)
        #expect(connection.transactionStatus == .unknown)
    }

    @Test("A session has the application name and the statement timeout of its configuration")
    func sessionSettingsArriveOnTheServer() async throws {
        var configuration = TestServer.configuration()
        configuration.statementTimeout = .milliseconds(80)
        configuration.applicationName = "settings test"
        let connection = try await TestServer.connect(configuration)
        defer { connection.close() }
        #expect(connection.parameterStatus("client_encoding") == "UTF8")
        #expect(connection.parameterStatus("application_name") == "settings test")
        #expect(connection.serverVersion >= 120000)
        let error = try await databaseError { try await connection.query("SELECT pg_sleep(5)") }
        #expect(error?.code == .timeout)
        #expect(error?.sqlState == "57014")
        #expect(connection.isUsable)
    }
}
