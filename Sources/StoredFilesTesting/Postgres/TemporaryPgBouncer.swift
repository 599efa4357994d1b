import Foundation
import Platform
import PostgresModels

/// A PgBouncer of one's own in front of a ``TemporaryPostgres``: for tests of what changes when sessions change hands.
///
/// It listens on a Unix socket in a directory only this user can enter. As root it runs as the user `postgres` or
/// `nobody`, like the server. It and its files are removed by ``stop()``, and otherwise when the process ends, even by
/// a crash.
public final class TemporaryPgBouncer: Sendable {
    /// The configuration of a PgBouncer.
    public struct Configuration: Sendable {
        /// The pool mode, which decides when a session of the server is given back: "transaction" (the default),
        /// "session" or "statement".
        public var poolMode: String
        /// The number of sessions that each database may have on the server: 2 by default.
        public var poolSize: Int
        /// The number of prepared statements that are tracked in each session of the server: 0, the default, for none.
        ///
        /// It needs PgBouncer 1.21 or newer.
        public var maxPreparedStatements: Int

        /// A configuration with the defaults named at each property.
        public init(poolMode: String = "transaction", poolSize: Int = 2, maxPreparedStatements: Int = 0) {
            self.poolMode = poolMode
            self.poolSize = poolSize
            self.maxPreparedStatements = maxPreparedStatements
        }
    }

    private static let port = 6432

    private let folder: ServerDirectory
    private let watchdog: ServerWatchdog
    private let process: ServerProcess

    /// Starts a PgBouncer in front of a server.
    ///
    /// - Parameters:
    ///   - server: The server.
    ///   - configuration: How it lends sessions; the defaults by default.
    /// - Throws: ``TemporaryServerError`` with code `.serverNotInstalled` when there is none, or none that can follow
    ///   prepared statements when it has to; `.startFailed` with its log. Nothing stays behind then.
    ///   `CancellationError`.
    public static func start(
        before server: TemporaryPostgres,
        _ configuration: Configuration = Configuration()
    ) async throws -> TemporaryPgBouncer {
        let installed = try path()
        let follows = try await followsPreparedStatements()
        if configuration.maxPreparedStatements > 0, !follows {
            throw TemporaryServerError(
                .serverNotInstalled,
                "\(installed) is older than 1.21 and follows no prepared statements. Let PGBOUNCER name a newer one, "
                    + "or run Scripts/pgbouncer, which makes one on Debian."
            )
        }
        let user = try ServerUser()
        let folder = try ServerDirectory(in: "/tmp", prefix: "sfpb", longest: 79)
        let watchdog: ServerWatchdog
        do {
            // Asked to end, newer versions wait for their clients.
            watchdog = try ServerWatchdog(directory: folder.path, over: .unwillingServer)
        } catch {
            folder.remove()
            throw TemporaryServerError(.startFailed, "\(error)")
        }
        do {
            let settings = "\(folder.path)/pgbouncer.ini"
            // The user that it runs as may not look into a checkout.
            let program = "\(folder.path)/pgbouncer"
            try FileManager.default.copyItem(atPath: installed, toPath: program)
            try configuration.text(before: server.directory, in: folder.path, follows: follows).write(
                toFile: settings,
                atomically: true,
                encoding: .utf8
            )
            try "\"app\" \"\"\n".write(toFile: "\(folder.path)/users.txt", atomically: true, encoding: .utf8)
            try user.takeOver(folder.path)
            let process = try ServerProcess(
                user.command([program, settings]),
                in: folder.path,
                log: "\(folder.path)/log"
            )
            let bouncer = TemporaryPgBouncer(folder, watchdog, process)
            try await bouncer.waitUntilReady()
            return bouncer
        } catch {
            await watchdog.releaseAndWait()
            throw (error as? ChildProcessError).map { TemporaryServerError(.startFailed, "\($0)") } ?? error
        }
    }

    /// Returns whether the PgBouncer that is installed can track prepared statements, which it does since version 1.21.
    ///
    /// - Throws: ``TemporaryServerError`` with code `.serverNotInstalled`, or `.startFailed` when it does not say its
    ///   version.
    public static func followsPreparedStatements() async throws -> Bool {
        let program = try path()
        let folder = try ServerDirectory(in: "/tmp", prefix: "sfpb")
        defer { folder.remove() }
        let output = "\(folder.path)/version"
        _ = try await folder.run([program, "--version"], output: output)
        let text = folder.text(of: output)
        // "PgBouncer 1.18.0"
        let numbers = text.prefix { !$0.isNewline }.split { !$0.isNumber }.compactMap { Int($0) }
        guard numbers.count >= 2 else {
            throw folder.failure(of: "PgBouncer", "it does not say its version", log: output)
        }
        return (numbers[0], numbers[1]) >= (1, 21)
    }

    private static func path() throws -> String {
        let named = ProcessInfo.processInfo.environment["PGBOUNCER"].flatMap { $0.isEmpty ? nil : $0 }
        let built = "\(FileManager.default.currentDirectoryPath)/.build/pgbouncer/pgbouncer"
        let isBuilt = FileManager.default.isExecutableFile(atPath: built)
        if let program = named ?? (isBuilt ? built : ChildProcess.find("pgbouncer")) { return program }
        throw TemporaryServerError(
            .serverNotInstalled,
            "No PgBouncer was found in PATH. Install one (apt-get install pgbouncer, brew install pgbouncer), or let "
                + "the environment variable PGBOUNCER name it."
        )
    }

    private init(_ folder: ServerDirectory, _ watchdog: ServerWatchdog, _ process: ServerProcess) {
        self.folder = folder
        self.watchdog = watchdog
        self.process = process
    }

    deinit {
        watchdog.releaseAndForget()
    }

    private func waitUntilReady() async throws {
        for _ in 0..<1200 {
            if let status = process.endStatus {
                throw folder.failure(of: "PgBouncer", "it ended with status \(status)", log: "\(folder.path)/log")
            }
            if let connection = try? await PostgresConnection.connect(address(of: "postgresql:///postgres")) {
                connection.close()
                return
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw folder.failure(of: "PgBouncer", "it accepts no connections", log: "\(folder.path)/log")
    }

    /// The way to a database through the PgBouncer.
    ///
    /// - Parameter url: The database's address, from ``TemporaryPostgres/makeDatabase(named:template:)``.
    public func address(of url: String) -> String {
        let name = URLComponents(string: url)?.percentEncodedPath ?? "/postgres"
        let socket = folder.path.replacingOccurrences(of: "/", with: "%2F")
        return "postgresql://\(name)?host=\(socket)&port=\(Self.port)&user=app"
    }

    /// The text that it has logged.
    public var log: String {
        folder.text(of: "\(folder.path)/log")
    }

    /// Stops it and removes its files; calling it again does nothing.
    public func stop() async {
        process.send(SIGKILL)
        _ = await process.hasEnded(within: 30)
        await watchdog.releaseAndWait()
    }
}

extension TemporaryPgBouncer.Configuration {
    fileprivate func text(before server: String, in directory: String, follows: Bool) -> String {
        var lines = [
            "[databases]", "* = host=\(server)/s port=5432", "[pgbouncer]", "listen_addr =", "listen_port = 6432",
            "unix_socket_dir = \(directory)", "auth_type = trust", "auth_file = \(directory)/users.txt",
            "pool_mode = \(poolMode)", "default_pool_size = \(poolSize)", "max_client_conn = 400",
            // A task that waits for a session for ever must fail in a test.
            "query_wait_timeout = 60",
            // A client that asks for a database that is not there must not keep others waiting for 15 seconds.
            "server_login_retry = 0.1",
        ]
        // Older versions do not know the name; newer ones follow some unless told otherwise.
        if follows { lines.append("max_prepared_statements = \(maxPreparedStatements)") }
        return lines.joined(separator: "\n") + "\n"
    }
}
