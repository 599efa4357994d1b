import StoredFilesTesting
import Testing

@testable import PostgresModels

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct ConnectionLossTests {
    @Test func aSessionKilledDuringAQueryGivesTheServersReason() async throws {
        let connection = try await TestServer.connect()
        let other = try await TestServer.connect()
        defer { other.close() }
        let task = Task { try await connection.query("SELECT pg_sleep(20)") }
        #expect(try await TestServer.eventually { connection.transactionStatus == .active })
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
        let error = try await databaseError { _ = try await task.value }
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "57P01")
        #expect(try await TestServer.eventually { !connection.isUsable })
    }

    @Test func aSessionKilledWhileIdleIsNoticedWithItsReason() async throws {
        let connection = try await TestServer.connect()
        let other = try await TestServer.connect()
        defer { other.close() }
        try await other.simpleQuery("SELECT pg_terminate_backend(\(connection.backendPID))")
        #expect(try await TestServer.eventually { !connection.isUsable })
        #expect(connection.deathReason?.sqlState == "57P01")
        let error = try await databaseError { try await connection.query("SELECT 1") }
        #expect(error?.code == .connectionLost)
        #expect(error?.sqlState == "57P01")
    }

    @Test func idleInTransactionTimeoutIsTheReason() async throws {
        let connection = try await TestServer.connect()
        try await connection.simpleQuery("SET idle_in_transaction_session_timeout = '50ms'")
        try await connection.simpleQuery("BEGIN")
        #expect(try await TestServer.eventually { !connection.isUsable })
        #expect(connection.deathReason?.sqlState == "25P03")
    }

    @Test func nobodyListening() async throws {
        let error = try await databaseError {
            _ = try await PostgresConnection.connect("host=/nonexistent user=app password=hunter2")
        }
        #expect(error?.code == .connectionFailed)
        #expect(error?.description.contains("/nonexistent") == true)
        #expect(error?.description.contains("hunter2") == false)
    }

    @Test func aRefusedLoginHasItsState() async throws {
        let url = try await TestServer.url().replacing("/postgres?", with: "/no_such_database?")
        let error = try await databaseError { _ = try await PostgresConnection.connect(url) }
        #expect(error?.code == .connectionFailed)
        #expect(error?.sqlState == "3D000")
        #expect(error?.message.contains("LOCATION") == false)
    }

    @Test(arguments: [
        "postgresql://app:se@cret@localhost/x", "hunter2", "postgresql://app:hunter2@[::1/x", "host=a\0b",
    ])
    func unreadableConnectionStringsAreRefusedWithoutRepeatingThem(_ conninfo: String) async throws {
        let error = try await databaseError { _ = try await PostgresConnection.connect(conninfo) }
        #expect(error?.code == .invalidArgument)
        #expect(error?.description.contains("hunter2") == false)
        #expect(error?.description.contains("cret") == false)
    }

    @Test func aServerThatNeverAnswersTimesOut() async throws {
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

    @Test func aDeadFirstHostIsSkipped() async throws {
        let server = try await TemporaryPostgres.shared()
        let connection = try await PostgresConnection.connect(
            "host=/nonexistent,\(server.directory)/s user=app dbname=postgres target_session_attrs=read-write"
        )
        defer { connection.close() }
        #expect(try await connection.query("SELECT 1::int8").int() == 1)
    }
}

/// A Unix socket that accepts connections into its backlog and never says anything.
private struct BlackHole {
    let directory: String
    private let descriptor: Int32

    init() throws {
        var template = Array("/tmp/hole.XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        #if canImport(Darwin)
            descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #else
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array("\(directory)/.s.PGSQL.5432".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0 && listen(descriptor, 5) == 0)
    }

    func close() {
        closeDescriptor(descriptor)
        unlink("\(directory)/.s.PGSQL.5432")
        rmdir(directory)
    }
}
