import Foundation
import PostgresModels
import TestSupport
import Testing

@testable import StoredFilesTesting

@Suite struct TemporaryPostgresTests {
    @Test("Stopping a temporary server ends its process and deletes its directory")
    func aClusterIsGoneAfterStop() async throws {
        let server = try await TemporaryPostgres.start(.init(settings: ["max_connections": "13"]))
        let connection = try await PostgresConnection.connect(server.url)
        #expect(try await connection.query("SELECT current_setting('max_connections')").string() == "13")
        #expect(try await connection.query("SELECT current_setting('listen_addresses')").string() == "")
        connection.close()
        let line = try String(contentsOfFile: "\(server.directory)/data/postmaster.pid", encoding: .utf8)
        let pid = try #require(line.split(separator: "\n").first.flatMap { Int32($0) })
        await server.stop()
        #expect(!FileManager.default.fileExists(atPath: server.directory))
        #expect(!FileManager.default.fileExists(atPath: "/proc/\(pid)"))
        await server.stop()
        await #expect(throws: TemporaryServerError.self) { try await server.startServer() }
    }

    @Test("A temporary server that is no longer referenced deletes its directory")
    func aClusterNobodyHoldsGoesByItself() async throws {
        let directory = try await TemporaryPostgres.start().directory
        #expect(try await eventually { !FileManager.default.fileExists(atPath: directory) })
    }

    @Test("A released watchdog deletes the directory and leaves no zombie process")
    func aWatchdogThatIsLetGoLeavesNoZombie() async throws {
        let directory = "/tmp/sfpg-watched-\(UInt32.random(in: 0...UInt32.max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        let watchdog = try ServerWatchdog(directory: directory, over: .postmaster)
        // A zombie still receives signals.
        #expect(kill(watchdog.process, 0) == 0)
        watchdog.releaseAndForget()
        #expect(try await eventually { kill(watchdog.process, 0) != 0 })
        #expect(!FileManager.default.fileExists(atPath: directory))
        await watchdog.releaseAndWait()
    }

    @Test("A temporary server makes fresh databases and copies of templates")
    func databasesAreFreshAndCopiedFromTemplates() async throws {
        let server = try await TemporaryPostgres.shared()
        let original = try await server.makeDatabase(named: "an original & more")
        let connection = try await PostgresConnection.connect(original)
        try await connection.simpleQuery("CREATE TABLE t AS SELECT 5::int8 AS n")
        connection.close()
        let copy = try await PostgresConnection.connect(
            server.makeDatabase(named: "a copy", template: "an original & more")
        )
        #expect(try await copy.query("SELECT n FROM t").int() == 5)
        copy.close()
        let first = try await server.makeDatabase()
        let second = try await server.makeDatabase()
        #expect(first != second)
        let error = await #expect(throws: TemporaryServerError.self) {
            try await server.makeDatabase(named: "a copy")
        }
        #expect(error?.code == .setupFailed)
    }

    @Test("Starting a temporary server without installed binaries fails with a hint at PG_BINDIR")
    func aMissingServerIsExplained() async throws {
        let error = await #expect(throws: TemporaryServerError.self) {
            try await TemporaryPostgres.start(.init(binaryDirectory: "/nonexistent"))
        }
        #expect(error?.code == .serverNotInstalled)
        #expect(error?.message.contains("PG_BINDIR") == true)
    }

    @Test("A temporary server that does not start reports its log and leaves no files")
    func aServerThatDoesNotStartShowsItsLogAndLeavesNothing() async throws {
        let parent = "/tmp/sfpg-parent-\(UInt32.random(in: 0...UInt32.max))"
        // Others may enter: the server's user has to reach its directory through it.
        try FileManager.default.createDirectory(
            atPath: parent,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let error = await #expect(throws: TemporaryServerError.self) {
            try await TemporaryPostgres.start(.init(parentDirectory: parent, settings: ["no_such_setting": "1"]))
        }
        #expect(error?.code == .startFailed)
        #expect(error?.message.contains("no_such_setting") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == [])
    }
}
