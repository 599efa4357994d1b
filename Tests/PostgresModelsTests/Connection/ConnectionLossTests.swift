import Dispatch
import StoredFilesTesting
import Synchronization
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct ConnectionLossTests {
    @Test("A query whose session is terminated throws the reason of the server")
    func aSessionKilledDuringAQueryGivesTheServersReason() async throws {
        let connection = try await TestServer.connect()
        let other = try await TestServer.connect()
        defer { other.close() }
        let task = Task { try await connection.query("SELECT pg_sleep(20)") }
        #expect(try await eventually { connection.transactionStatus == .active })
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
        let error = try await databaseError { _ = try await task.value }
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "57P01")
        #expect(try await eventually { !connection.isUsable })
    }

    @Test("A connection notices that its idle session is terminated, and keeps the reason")
    func aSessionKilledWhileIdleIsNoticedWithItsReason() async throws {
        let connection = try await TestServer.connect()
        let other = try await TestServer.connect()
        defer { other.close() }
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
        #expect(try await eventually { !connection.isUsable })
        let error = try await databaseError { try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "57P01")
    }

    /// libpq closes its socket then, so that no event of it ever comes.
    @Test(
        "A connection that breaks while a statement is being sent is reported as lost",
        arguments: PollerKind.allCases
    )
    func anEndThatIsMetWhileSendingIsNoticed(_ kind: PollerKind) async throws {
        let server = try await SeverableServer(before: "\(TemporaryPostgres.shared().directory)/s")
        defer { server.close() }
        let reactor = try Reactor(poller: kind.make())
        defer { reactor.stop() }
        let connection = try await PostgresConnection.connect(
            ConnectionTarget(server.conninfo),
            configuration: TestServer.configuration(),
            reactor: reactor
        )
        let isTold = Atomic<Bool>(false)
        connection.onConnectionLost { isTold.store(true, ordering: .relaxed) }
        // The reactor is busy, so that the sender is the first to meet the end.
        let (isBusy, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        _ = reactor.schedule(after: .zero) {
            isBusy.signal()
            mayGoOn.wait()
        }
        await withUnsafeContinuation { continuation in
            DispatchQueue.global().async {
                isBusy.wait()
                continuation.resume()
            }
        }
        server.sever()
        let statement = Task {
            // libpq takes the first failed write for done, and looks for the end when it writes again: after 8 KiB.
            var parameters = QueryParameters()
            try parameters.bind([UInt8](repeating: 7, count: 100_000))
            return try await connection.query("SELECT $1", parameters, cache: false)
        }
        #expect(try await eventually { connection.transactionStatus == .unknown })
        mayGoOn.signal()
        let error = try await databaseError { _ = try await statement.value }
        #expect(error?.code == .connectionLost)
        #expect(try await eventually { !connection.isUsable && isTold.load(ordering: .relaxed) })
    }

    @Test("A session that idles in a transaction too long is lost with that timeout as the reason")
    func idleInTransactionTimeoutIsTheReason() async throws {
        let connection = try await TestServer.connect()
        try await connection.simpleQuery("SET idle_in_transaction_session_timeout = '50ms'")
        try await connection.simpleQuery("BEGIN")
        #expect(try await eventually { !connection.isUsable })
        let error = try await databaseError { try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "25P03")
    }

    @Test("Connecting to an address without a server fails and does not show the password")
    func nobodyListening() async throws {
        let error = try await databaseError {
            _ = try await PostgresConnection.connect("host=/nonexistent user=app password=hunter2")
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.sqlState == "08001")
        #expect(error?.description.contains("/nonexistent") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test("A refused login fails with the SQLSTATE of the server")
    func aRefusedLoginHasItsState() async throws {
        let url = try await TestServer.url().replacing("/postgres?", with: "/no_such_database?")
        let error = try await databaseError { _ = try await PostgresConnection.connect(url) }
        #expect(error?.code == .connectionFailed)
        #expect(error?.sqlState == "3D000")
        #expect(error?.message.contains("LOCATION") == false)
    }

    @Test(
        "A malformed connection string is refused and not repeated in the error",
        arguments: [
            "postgresql://app:se@cret@localhost/x", "hunter2", "postgresql://app:hunter2@[::1/x", "host=a\0b",
        ]
    )
    func unreadableConnectionStringsAreRefusedWithoutRepeatingThem(_ conninfo: String) async throws {
        let error = try await databaseError { _ = try await PostgresConnection.connect(conninfo) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.description.contains("cret") == false)
    }

    @Test("Connecting to a server that never responds fails after the connect timeout")
    func aServerThatNeverRespondsTimesOut() async throws {
        let blackHole = try BlackHole()
        defer { blackHole.close() }
        var configuration = TestServer.configuration()
        configuration.connectTimeout = .milliseconds(300)
        let clock = ContinuousClock()
        let start = clock.now
        let error = try await databaseError {
            _ = try await PostgresConnection.connect(
                "host=\(blackHole.directory) user=app",
                configuration: configuration
            )
        }
        #expect(error?.code == .connectionFailed)
        #expect(start.duration(to: clock.now) >= .milliseconds(300))
    }

    @Test("A connection string with several hosts skips a first host that is down")
    func aDeadFirstHostIsSkipped() async throws {
        let server = try await TemporaryPostgres.shared()
        let connection = try await PostgresConnection.connect(
            "host=/nonexistent,\(server.directory)/s user=app dbname=postgres target_session_attrs=read-write"
        )
        defer { connection.close() }
        #expect(try await connection.query("SELECT 1::int8").int() == 1)
    }
}
