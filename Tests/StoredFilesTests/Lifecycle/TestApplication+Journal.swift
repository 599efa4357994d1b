import NIOCore
import StoredFiles
import StoredFilesTesting
import TestSupport
import Testing

extension TestApplication {
    /// Returns what is on its way: states by names, whatever the storage.
    ///
    /// A name that was let go of and that a row has is live: the next look at it says so.
    func journal() async throws -> [String: String] {
        var states: [String: String] = [:]
        let rows = try await database.query(
            """
            SELECT name, 'uploading' FROM stored_files.reservations AS r \
            WHERE NOT EXISTS (SELECT FROM stored_files.fields AS f WHERE f.id = r.field AND f.ended_at IS NOT NULL) \
            UNION ALL SELECT name, state FROM (SELECT storage, name, 'condemned' AS state FROM stored_files.let_go, \
            unnest(names) AS name UNION ALL SELECT storage, name, state FROM stored_files.journal) AS n \
            WHERE state <> 'condemned' OR NOT EXISTS (SELECT FROM stored_files.fields AS f WHERE f.storage = n.storage) \
            OR NOT EXISTS (SELECT FROM stored_files.named(n.storage, ARRAY[n.name]))
            """
        )
        for row in rows {
            states[try row.decode(String.self, at: 0)] = try row.decode(String.self, at: 1)
        }
        return states
    }

    /// Moves what was let go of into the journal, as a reaper does at first.
    func drain() async throws {
        for storage in ["papers", "pictures"] {
            try await database.execute("SELECT stored_files.drain(\(storage), 1000)")
        }
    }

    /// The states of all names in the journal.
    func states() async throws -> [String] {
        try await Array(journal().values)
    }

    /// Rows with papers that were uploaded without the journal, as another program does it.
    @discardableResult
    func insertPapers(_ names: [String]) async throws -> [Int64] {
        var ids: [Int64] = []
        for name in names {
            _ = try await papers.upload(.string("of \(name)"), to: StorageName(validating: name))
            let rows = try await database.query(
                "INSERT INTO albums (title, paper) VALUES (\(name), \(name)) RETURNING id"
            )
            ids.append(try #require(rows.first).decode(Int64.self, at: 0))
        }
        return ids
    }

    /// Deletes all that is condemned, at once; other databases of the server may have transactions that have to end.
    @discardableResult
    func reapNow(
        _ configuration: ReaperConfiguration = ReaperConfiguration(retention: .zero)
    ) async throws -> ReapReport {
        let report = try await database.reap(configuration, waitLimit: .seconds(60))
        for refusal in report.refusals { throw refusal.error }
        return report
    }

    func paperNames() async throws -> [String] {
        try await names(in: papers).map(\.string)
    }
}

extension TestApplication {
    /// Waits until a session of this database waits for a lock of another.
    func waitUntilSomebodyWaits() async throws {
        let isWaiting = try await eventually {
            let rows = try await database.query(
                """
                SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
                """
            )
            return !rows.isEmpty
        }
        try #require(isWaiting, "no session waits for a lock")
    }

    /// Waits until a transaction holds a row of the journal.
    func waitUntilMarking() async throws {
        let isMarking = try await eventually {
            let free = try await database.query("SELECT FROM stored_files.journal FOR UPDATE SKIP LOCKED")
            return free.isEmpty
        }
        try #require(isMarking, "no transaction holds the journal's row")
    }
}

/// `#expect` for a value that is fetched: in some closures the macro does not see that errors are handled.
func expectEqual<Value: Equatable>(
    _ actual: Value,
    _ expected: Value,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(actual == expected, sourceLocation: sourceLocation)
}
