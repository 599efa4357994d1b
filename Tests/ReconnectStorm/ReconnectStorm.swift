import Foundation
import Logging
import PostgresModels
import Synchronization

/// Ends all sessions of a pool again and again while many tasks use it, and sees that every statement ends.
///
/// Usage: `ReconnectStorm DATABASE`, a database that nobody else uses, with a role that may end its sessions. In the
/// environment `STORM_ROUNDS` says how many rounds to make, 20 by default; `STORM_SECONDS` makes rounds until the time
/// is over instead, and `STORM_TIMEOUT` says after how many seconds without any statement ending it gives up: 60 by
/// default. It prints a line of counts, and exits with 1 when a statement did not end, failed otherwise than by the
/// loss of its session, or when a connection of the pool cannot be lent any more.
@main
struct ReconnectStorm: Sendable {
    static let poolSize = 4
    static let tasks = 32
    static let statementsPerTask = 6
    static let killsPerRound = 4

    let pool: ConnectionPool
    let killer: PostgresConnection
    let counts = StormCounts()

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { end(64, "usage: ReconnectStorm DATABASE") }
        var configuration = DatabaseConfiguration(poolSize: poolSize, acquireTimeout: .seconds(600))
        configuration.connectBackoff = .milliseconds(1)
        // What the server says of each session that is ended would fill the terminal.
        configuration.logger.logLevel = .critical
        let url = CommandLine.arguments[1]
        let storm = ReconnectStorm(
            pool: try ConnectionPool(url, configuration: configuration),
            killer: try await PostgresConnection.connect(url, configuration: configuration)
        )
        storm.watch(timeout: number("STORM_TIMEOUT") ?? 60)
        let seconds = number("STORM_SECONDS")
        let rounds = seconds == nil ? number("STORM_ROUNDS") ?? 20 : Int.max
        let deadline = ContinuousClock.now + .seconds(seconds ?? 0)
        while storm.counts.rounds.load(ordering: .relaxed) < rounds, seconds == nil || ContinuousClock.now < deadline {
            try await storm.round()
        }
        try await storm.lendAll()
        let isFine = storm.counts.unexpected.withLock { $0.isEmpty }
        end(isFine ? 0 : 1, storm.counts.description)
    }

    /// Every task runs its statements while the sessions are ended under them.
    private func round() async throws {
        counts.running.store(Self.tasks, ordering: .relaxed)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<Self.tasks {
                group.addTask { [self] in
                    for _ in 0..<Self.statementsPerTask { await statement() }
                    counts.running.wrappingSubtract(1, ordering: .relaxed)
                }
            }
            // Not until all are done: with sessions that never live, nothing would be connected.
            for _ in 0..<Self.killsPerRound where counts.running.load(ordering: .relaxed) > 0 {
                try await killer.simpleQuery(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND pid <> pg_backend_pid()
                    """
                )
                counts.kills.wrappingAdd(1, ordering: .relaxed)
                try await Task.sleep(for: .milliseconds(Int.random(in: 1...25)))
            }
            try await group.waitForAll()
        }
        counts.rounds.wrappingAdd(1, ordering: .relaxed)
    }

    private func statement() async {
        do {
            _ = try await pool.withConnection { try await $0.query("SELECT pg_sleep(0.001)") }
            counts.fine.wrappingAdd(1, ordering: .relaxed)
        } catch let error as DatabaseError where error.code == .connectionLost || error.code == .connectionFailed {
            counts.lost.wrappingAdd(1, ordering: .relaxed)
        } catch {
            counts.unexpected.withLock { $0.append("\(error)") }
        }
        counts.ended.wrappingAdd(1, ordering: .relaxed)
    }

    /// No slot of the pool may have been lost; what is lent may still be a session that was ended.
    private func lendAll() async throws {
        var lent: [PostgresConnection] = []
        for _ in 0..<Self.poolSize { lent.append(try await pool.acquire()) }
        for connection in lent { await pool.release(connection) }
        counts.ended.wrappingAdd(1, ordering: .relaxed)
    }

    /// Ends the process from a thread of its own, which waits for nothing that may be stuck.
    private func watch(timeout: Int) {
        Thread.detachNewThread { [counts] in
            var seen = counts.ended.load(ordering: .relaxed)
            while true {
                Thread.sleep(forTimeInterval: Double(timeout))
                let ended = counts.ended.load(ordering: .relaxed)
                if ended == seen { Self.end(1, "stuck: no statement ended in \(timeout) s; \(counts)") }
                seen = ended
            }
        }
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    private static func end(_ status: Int32, _ line: String) -> Never {
        print(line)
        exit(status)
    }
}
