import Foundation
import Logging
import NIOConcurrencyHelpers
import StoredFilesTesting
import TestSupport

@testable import PostgresModels

/// Uses a connection string in every way there is, and writes down all that a person could come to see of it.
struct SecretExposure {
    /// The text that all secrets of the tests contain, and nothing else does.
    static let mark = "S3cret"

    private struct Log: LogHandler, CustomReflectable {
        let lines: NIOLockedValueBox<[String]>
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        // A dump of a configuration must not contain what was noted before.
        var customMirror: Mirror { Mirror(self, children: []) }

        func log(event: LogEvent) {
            lines.withLockedValue { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }

    private let lines = NIOLockedValueBox<[String]>([])
    private let configuration: DatabaseConfiguration

    init() {
        var configuration = DatabaseConfiguration(connectAttempts: 2, connectBackoff: .milliseconds(1))
        configuration.cancellationGracePeriod = .seconds(30)
        configuration.connectTimeout = .seconds(60)
        let log = Log(lines: lines)
        configuration.logger = Logger(label: "exposure") { _ in log }
        self.configuration = configuration
    }

    /// - Parameters:
    ///   - conninfo: The connection string.
    ///   - good: A way to a server past it.
    /// - Returns: All that was logged, thrown or can be printed.
    static func text(of conninfo: String, beside good: String) async -> String {
        let exposure = SecretExposure()
        await exposure.useConnection(conninfo)
        await exposure.useDatabase(conninfo)
        await exposure.useAsDirectAddress(conninfo, of: good)
        return exposure.lines.withLockedValue { $0.joined(separator: "\n") }
    }

    private func note(_ line: String) {
        lines.withLockedValue { $0.append(line) }
    }

    private func attempt(_ what: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            note("\(what): no error")
        } catch {
            note("\(what): \(error) \(String(reflecting: error)) \(error.localizedDescription)")
            var dumped = ""
            dump(error, to: &dumped)
            note(dumped)
            noteChildren(Mirror(reflecting: error))
        }
    }

    private func noteChildren(_ mirror: Mirror) {
        for child in mirror.children {
            note("\(child.label ?? "") \(child.value) \(String(reflecting: child.value))")
            noteChildren(Mirror(reflecting: child.value))
        }
    }

    private func notePrinted(_ value: Any) {
        var dumped = ""
        dump(value, to: &dumped)
        note("\(value) \(String(reflecting: value)) \(dumped)")
    }

    private func useConnection(_ conninfo: String) async {
        await attempt("target") { notePrinted(try ConnectionTarget(conninfo)) }
        await attempt("connection") {
            let connection = try await PostgresConnection.connect(conninfo, configuration: configuration)
            defer { connection.close() }
            notePrinted(connection)
            await attempt("cancelled") {
                let task = Task { try await connection.query("SELECT pg_sleep(60)") }
                while connection.transactionStatus != .active, connection.isUsable { await Task.yield() }
                task.cancel()
                _ = try await task.value
            }
            await attempt("ended") { try await connection.simpleQuery("SELECT pg_terminate_backend(pg_backend_pid())") }
            await attempt("after the end") { try await connection.simpleQuery("SELECT 1") }
        }
    }

    private func useDatabase(_ conninfo: String) async {
        await attempt("pool") {
            let pool = try ConnectionPool(conninfo, configuration: configuration)
            notePrinted(pool)
            await attempt("acquire") { try await pool.withConnection { _ in } }
            notePrinted(pool)
            await pool.close()
        }
        await attempt("database") {
            let database = try await Database.connect(conninfo, configuration: configuration)
            await use(database)
            await database.close()
        }
    }

    private func useAsDirectAddress(_ conninfo: String, of good: String) async {
        var configuration = configuration
        configuration.directAddress = conninfo
        notePrinted(configuration)
        await attempt("direct address") {
            let database = try await Database.connect(good, configuration: configuration)
            await use(database)
            await database.close()
        }
    }

    private func use(_ database: Database) async {
        notePrinted(database)
        await attempt("statement") { try await database.execute("SELECT 1") }
        await attempt("reconnected") {
            try await database.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        }
        await attempt("transaction") {
            try await database.transaction { transaction in _ = try await transaction.execute("SELECT 1/0") }
        }
        await attempt("side") { _ = try await database.runIndependently("SELECT 1") }
        await attempt("migration") { try await database.migrate([], timeout: .seconds(5)) }
        let notifications = database.listen(to: "c")
        notePrinted(notifications)
        let count = lines.withLockedValue { $0.count }
        let listening = Task {
            await attempt("listening") {
                var iterator = notifications.makeAsyncIterator()
                note("first: \(String(describing: try await iterator.next()))")
            }
        }
        // An address where nobody listens is tried again for ever, and each try is logged.
        _ = try? await eventually { lines.withLockedValue { $0.count } > count }
        listening.cancel()
        await listening.value
    }
}
