import Foundation
import Logging
import NIOConcurrencyHelpers
import PostgresModels
import StoredFiles

/// Many names at once, names that come back, and what else is out of the ordinary.
extension Writer {
    /// Uploads tiny files whose names were reserved by hand, as another program would.
    private func reserved(_ count: Int, _ dice: Dice) async throws -> [String] {
        let all = (0..<count).map { _ in ChaosContents.tiny(dice) }
        let names = try all.map { try StorageName.unique(path: "bulk", original: $0.fileName) }
        // A few at a time: while the table is no field's, or has another name, each takes a look at the whole
        // catalogue.
        for start in stride(from: 0, to: count, by: 50) {
            let some = names[start..<min(start + 50, count)].map(\.string)
            let rows = try await database.query(
                """
                SELECT count(stored_files.reserve('papers', n, 'notes'::regclass, 'file', interval '10 s', false)) \
                FROM unnest(\(some)) AS n
                """
            )
            // Then nobody would delete the files.
            guard try rows.first?.decode(Int64.self, at: 0) == Int64(some.count) else { throw Skipped() }
        }
        for (name, contents) in zip(names, all) {
            _ = try await papers.upload(contents.body, to: name, options: UploadOptions(ifExists: .fail))
        }
        return names.map(\.string)
    }

    /// More than a hundred come at once; when there are more than a thousand they go at once.
    func bulk(_ dice: Dice) async throws {
        let names = try await reserved(dice.pick([20, 150, 1200]), dice)
        _ = try await transaction(dice) { transaction in
            try await transaction.execute(
                "INSERT INTO notes (label, file) SELECT 'bulk', n FROM unnest(\(names)) AS n"
            )
        }
        Channel.count(.bulkInsert)
        guard names.count > 1000 else { return }
        // Others move some of them meanwhile, which only READ COMMITTED takes calmly.
        let level = dice.pick([.readCommitted, .readCommitted, .repeatableRead] as [TransactionIsolation])
        let count = try await database.transaction(isolation: level) { transaction in
            try await transaction.execute("DELETE FROM notes WHERE label = 'bulk'")
        }
        if count > 1000 { Channel.count(.bulkDelete) }
    }

    /// Keeps tables small.
    func trim(_ dice: Dice) async throws {
        for place in Place.all {
            try await database.execute(
                """
                DELETE FROM \(identifier: place.table) WHERE id IN (SELECT id FROM \(identifier: place.table) \
                ORDER BY id DESC OFFSET 150)
                """
            )
        }
        try await database.execute(
            "DELETE FROM folders WHERE id IN (SELECT id FROM folders ORDER BY id DESC OFFSET 100)"
        )
    }

    func copyFrom(_ dice: Dice) async throws {
        let names = try await reserved(dice.pick([3, 120]), dice)
        _ = try await transaction(dice) { transaction in
            // Names have nothing that a shell would take for anything else.
            try await transaction.execute(
                "COPY notes (file) FROM PROGRAM \(raw: "'printf ''%s\\n'' \(names.joined(separator: " "))'")"
            )
        }
        Channel.count(.copyFrom)
    }

    // MARK: Names that come back, and names that must not

    /// Names a file that was let go of a moment ago: in time, or too late.
    func reinsert(_ dice: Dice) async throws {
        guard
            let candidate = kept.withLockedValue({ kept in
                kept.removeAll { $0.time < Date(timeIntervalSinceNow: -3) }
                return kept.isEmpty ? nil : kept.remove(at: dice.int(0...(kept.count - 1)))
            })
        else { throw Skipped() }
        let place = place(dice)
        // Well before its tombstone could be forgotten: later nobody would know.
        let limit = candidate.time + 5
        do {
            try await transaction(dice) { transaction in
                _ = try await transaction.query("SELECT 1")
                try await linger(dice)
                try await transaction.execute(
                    """
                    INSERT INTO \(identifier: place.table) (\(identifier: place.column)) \
                    SELECT \(candidate.name) WHERE clock_timestamp() < \(limit)
                    """
                )
                try await linger(dice)
            }
            Channel.count(.reinsert)
        } catch let error as DatabaseError where error.code == .objectInUse {
            Channel.count(.reinsertRefused)
            throw error
        }
    }

    func purge(_ dice: Dice) async throws {
        let place = place(dice)
        let rows = try await database.query(
            """
            SELECT \(identifier: place.column) FROM \(identifier: place.table) \
            WHERE \(identifier: place.column) IS NOT NULL ORDER BY random() LIMIT 1
            """
        )
        guard let name = try rows.first?.decode(String.self, at: 0) else { throw Skipped() }
        if dice.chance(2) {
            try await database.execute(
                "DELETE FROM \(identifier: place.table) WHERE \(identifier: place.column) = \(name)"
            )
        }
        let waitLimit = dice.milliseconds(0...300)
        try await database.purge(StorageName(validating: name), in: .papers, waitLimit: waitLimit)
        Channel.count(.purge)
    }

    // MARK: Transactions in two phases

    /// Prepares statements that outlive their session, and the server.
    func prepare(_ dice: Dice) async throws {
        var configuration = DatabaseConfiguration(applicationName: "prepare")
        configuration.logger.logLevel = .critical
        let connection = try await PostgresConnection.connect(url, configuration: configuration)
        defer { connection.close() }
        try await Self.resolve(on: connection, olderThan: 2, dice)
        let (from, to) = (dice.pick(Place.all), dice.pick(Place.all))
        let name = "chaos-\(dice.next())"
        try await connection.simpleQuery(
            """
            SET lock_timeout = '5s'; BEGIN ISOLATION LEVEL \(dice.pick(Self.levels).rawValue);
            WITH gone AS (DELETE FROM \(from.table) WHERE id IN (SELECT id FROM \(from.table)
            WHERE \(from.column) IS NOT NULL ORDER BY random() LIMIT 2) RETURNING \(from.column) AS name)
            INSERT INTO \(to.table) (\(to.column)) SELECT name FROM gone;
            DELETE FROM \(to.table) WHERE id IN (SELECT id FROM \(to.table) ORDER BY random() LIMIT 1);
            PREPARE TRANSACTION '\(name)'
            """
        )
        try await Task.sleep(for: dice.milliseconds(0...400))
        // Left alone now and then, until somebody comes across it.
        if !dice.chance(4) {
            try await connection.simpleQuery("\(dice.pick(["COMMIT", "COMMIT", "ROLLBACK"])) PREPARED '\(name)'")
        }
        Channel.count(.prepared)
    }

    /// Ends transactions that somebody has prepared and left.
    static func resolve(on connection: PostgresConnection, olderThan seconds: Int, _ dice: Dice) async throws {
        let left = try await connection.simpleQuery(
            """
            SELECT string_agg(gid, ' ') FROM pg_prepared_xacts WHERE database = current_database()
            AND prepared < clock_timestamp() - interval '\(seconds) s'
            """
        )
        guard let cell = left.cell(row: 0, column: 0) else { return }
        for name in String(decoding: cell, as: UTF8.self).split(separator: " ") {
            // Another may be faster.
            _ = try? await connection.simpleQuery("\(dice.pick(["COMMIT", "ROLLBACK"])) PREPARED '\(name)'")
        }
    }
}
