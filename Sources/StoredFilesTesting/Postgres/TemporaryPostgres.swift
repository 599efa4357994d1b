import Foundation
import NIOConcurrencyHelpers
package import Platform
import PostgresModels

/// A PostgreSQL server of one's own for tests: made in a second, gone at the end.
///
/// It listens on a Unix socket in a directory only this user can enter, so it needs no password, no port and no set-up;
/// it trades safety on disk (fsync is off) for speed. It works as root, too, as the user `postgres` or `nobody`. The
/// server and its files are removed by `stop()`, and otherwise when the process ends, even by a crash.
///
/// ```swift
/// let server = try await TemporaryPostgres.shared()
/// let database = try await Database.connect(try await server.makeDatabase())
/// ```
public final class TemporaryPostgres: Sendable {
    private struct State {
        var nextDatabase = 1
        var isStopped = false
    }

    /// The directory of the cluster: data, socket and the server's log.
    public var directory: String { folder.path }
    /// Connects to the maintenance database `postgres` as a superuser.
    public let url: String

    let folder: ServerDirectory
    let binaries: PostgresBinaries
    let user: ServerUser
    private let watchdog: ServerWatchdog
    private let state = NIOLockedValueBox(State())

    // MARK: Starting

    /// Permits for tests that each open a few connections to the shared server: tests run all at once, and it takes
    /// only so many sessions.
    package static let testPermits = AsyncSemaphore(capacity: 32)

    private static let sharedStart = Task { try await start() }

    /// The one server of this process, started with the first call; do not stop it.
    ///
    /// - Throws: as `start`.
    public static func shared() async throws -> TemporaryPostgres {
        try await sharedStart.value
    }

    /// Makes a cluster and starts its server; takes about a second.
    ///
    /// - Parameter configuration: where the programs are and which settings to change; the defaults by default.
    /// - Throws: `TemporaryServerError` `.serverNotInstalled` (saying what to install), `.startFailed` (with the
    ///   server's log). Nothing stays behind then.
    public static func start(_ configuration: Configuration = Configuration()) async throws -> TemporaryPostgres {
        try await start(configuration) { try await $0.initialize() }
    }

    /// Makes a cluster out of what a body puts into its data directory, and starts its server.
    ///
    /// - Parameters:
    ///   - configuration: Where the programs are and which settings to change, after what the body has left of them;
    ///     the defaults by default.
    ///   - fill: Makes ``dataDirectory``, which belongs to the user that the server runs as, for example from a base
    ///     backup by ``shell(_:_:asServerUser:)``.
    /// - Throws: as `start`, and what the body throws.
    package static func start(
        _ configuration: Configuration = Configuration(),
        filling fill: (TemporaryPostgres) async throws -> Void
    ) async throws -> TemporaryPostgres {
        let environment = ProcessInfo.processInfo.environment
        let binaries = try await PostgresBinaries.find(configuration.binaryDirectory, environment: environment)
        let user = try ServerUser()
        let folder = try ServerDirectory(in: configuration.parentDirectory, prefix: "sfpg", longest: 79)
        let watchdog: ServerWatchdog
        do {
            watchdog = try ServerWatchdog(directory: folder.path, over: .postmaster)
        } catch {
            folder.remove()
            throw TemporaryServerError(.startFailed, "\(error)")
        }
        do {
            let server = TemporaryPostgres(folder: folder, binaries: binaries, user: user, watchdog: watchdog)
            try server.makeDirectories()
            try await fill(server)
            try server.write(configuration.settings)
            try await server.startServer()
            return server
        } catch {
            await watchdog.releaseAndWait()
            throw error
        }
    }

    private init(
        folder: ServerDirectory,
        binaries: PostgresBinaries,
        user: ServerUser,
        watchdog: ServerWatchdog
    ) {
        self.folder = folder
        self.binaries = binaries
        self.user = user
        self.watchdog = watchdog
        url = Self.url(of: "postgres", directory: folder.path)
    }

    deinit {
        watchdog.releaseAndForget()
    }

    private func initialize() async throws {
        let output = "\(directory)/initdb.log"
        let arguments = [
            "-D", dataDirectory, "-U", "app", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync",
            "--no-instructions",
        ]
        let status = try await run("initdb", arguments, output: output)
        guard status == 0 else { throw failure("initdb ended with status \(status)", log: output) }
    }

    private func makeDirectories() throws {
        try FileManager.default.createDirectory(atPath: socketDirectory, withIntermediateDirectories: false)
        try user.takeOver(directory)
        try user.takeOver(socketDirectory)
    }

    private func write(_ settings: [String: String]) throws {
        var all = [
            "listen_addresses": "", "unix_socket_directories": socketDirectory, "unix_socket_permissions": "0700",
            "fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "64MB",
            "max_connections": "400", "autovacuum_naptime": "1h",
        ]
        all.merge(settings) { $1 }
        var lines = ""
        for (name, value) in all.sorted(by: { $0.key < $1.key }) {
            lines += "\(name) = '\(value.replacingOccurrences(of: "'", with: "''"))'\n"
        }
        // Appended, so that the file keeps the owner that initdb gave it.
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(dataDirectory)/postgresql.conf"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(lines.utf8))
        try file.close()
    }

    // MARK: Databases

    /// Creates a database and returns the connection string for it.
    ///
    /// - Parameters:
    ///   - name: its name; nil, the default, makes one up that is not taken.
    ///   - template: the database to copy, which nobody may be connected to; an empty one by default.
    /// - Throws: `TemporaryServerError.setupFailed`, for example because the name is taken.
    public func makeDatabase(named name: String? = nil, template: String = "template0") async throws -> String {
        let number = state.withLockedValue { state in
            defer { state.nextDatabase += 1 }
            return state.nextDatabase
        }
        let name = name ?? "test_\(number)"
        do {
            let connection = try await PostgresConnection.connect(url)
            defer { connection.close() }
            try await connection.simpleQuery("CREATE DATABASE \(Self.quote(name)) TEMPLATE \(Self.quote(template))")
        } catch let error as DatabaseError {
            throw TemporaryServerError(
                .setupFailed,
                "Cannot create the database \"\(name)\".",
                underlying: error
            )
        }
        return Self.url(of: name, directory: directory)
    }

    /// The connection string for a database that is there, for example because it came with a copy.
    ///
    /// - Parameter database: its name.
    package func url(of database: String) -> String {
        Self.url(of: database, directory: directory)
    }

    private static func quote(_ identifier: String) -> String {
        "\"\(identifier.replacingOccurrences(of: "\"", with: "\"\""))\""
    }

    private static func url(of database: String, directory: String) -> String {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
        let name = database.addingPercentEncoding(withAllowedCharacters: allowed) ?? database
        let socket = "\(directory)/s".addingPercentEncoding(withAllowedCharacters: allowed) ?? ""
        return "postgresql:///\(name)?host=\(socket)&port=5432&user=app"
    }

    // MARK: Faults

    /// Stops the server and keeps its data, for tests of what happens while it is down.
    ///
    /// - Parameter mode: how; `.fast` by default.
    /// - Throws: `TemporaryServerError.stopFailed`.
    public func stopServer(mode: ShutdownMode = .fast) async throws {
        try checkNotStopped()
        let output = "\(directory)/stop.log"
        let arguments = ["-D", dataDirectory, "-m", mode.rawValue, "-w", "-t", "30", "-s", "stop"]
        let status = try await run("pg_ctl", arguments, output: output)
        guard status == 0 else {
            throw TemporaryServerError(
                .stopFailed,
                "pg_ctl stop ended with status \(status): \(folder.text(of: output))"
            )
        }
    }

    /// Starts the server again after `stopServer` or `kill`.
    ///
    /// - Throws: `TemporaryServerError.startFailed` with the server's log.
    public func startServer() async throws {
        try checkNotStopped()
        let arguments = ["-D", dataDirectory, "-l", serverLog, "-w", "-t", "60", "-s", "start"]
        var status: Int32 = 0
        // After a kill the last sessions need a moment to notice; until then the server refuses to start.
        for attempt in 1...5 {
            status = try await run("pg_ctl", arguments, output: "\(directory)/start.log")
            if status == 0 { return }
            let isHeld = folder.text(of: serverLog).suffix(2000).contains("shared memory block")
            guard isHeld, attempt < 5 else { break }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw failure("the server did not start (pg_ctl status \(status))", log: serverLog)
    }

    /// Stops and starts the server.
    ///
    /// - Parameter mode: how it is stopped; `.fast` by default.
    /// - Throws: as `stopServer` and `startServer`.
    public func restart(mode: ShutdownMode = .fast) async throws {
        try await stopServer(mode: mode)
        try await startServer()
    }

    /// Kills the server as a power failure would, without a chance to say goodbye; `startServer()` recovers it.
    ///
    /// - Throws: `TemporaryServerError.stopFailed` when it is not running.
    public func kill() async throws {
        try checkNotStopped()
        let line = folder.text(of: "\(dataDirectory)/postmaster.pid").split(separator: "\n").first
        guard let pid = line.flatMap({ Int32($0) }), pid > 1, sendSignal(SIGKILL, to: pid) == 0 else {
            throw TemporaryServerError(.stopFailed, "The server is not running.")
        }
        for _ in 0..<500 where sendSignal(0, to: pid) == 0 { try await Task.sleep(for: .milliseconds(10)) }
    }

    // MARK: The end

    /// Stops the server and removes all its files; calling it again does nothing.
    public func stop() async {
        state.withLockedValue { $0.isStopped = true }
        await watchdog.releaseAndWait()
    }

    /// The text that the server has logged.
    public var log: String {
        folder.text(of: serverLog)
    }

    private func checkNotStopped() throws {
        guard !state.withLockedValue({ $0.isStopped }) else {
            throw TemporaryServerError(.stopped, "The cluster in \(directory) was stopped and removed.")
        }
    }

    // MARK: Files and programs

    /// The data directory of the server.
    package var dataDirectory: String {
        "\(directory)/data"
    }

    private var socketDirectory: String {
        "\(directory)/s"
    }

    private var serverLog: String {
        "\(directory)/server.log"
    }

    private func run(_ program: String, _ arguments: [String], output: String) async throws -> Int32 {
        // The working directory has to be readable by the server's user, which ours may not be.
        let command = try user.command([binaries.path(program)] + arguments)
        return try await folder.run(command, output: output)
    }

    private func failure(_ what: String, log: String) -> TemporaryServerError {
        folder.failure(of: "PostgreSQL", what, log: log)
    }
}

/// A method named `kill` hides the system's function.
private func sendSignal(_ signal: Int32, to pid: Int32) -> Int32 {
    kill(pid, signal)
}
