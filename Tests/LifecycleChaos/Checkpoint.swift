import Foundation
import NIOCore
import PostgresModels
import StoredFiles

/// Looks whether files and rows fit, while nobody writes.
struct Checkpoint: Sendable {
    let scene: Scene
    let counts: Counts
    let dice: Dice
    let databases: [Database]
    let storages: [StorageRegistry]
    let upheavals: [Upheavals]

    /// A file of one side, as a row or the storage has it.
    private struct Key: Hashable {
        let side: Int
        let storage: StorageID
        let name: String
    }

    /// The columns of each storage.
    private static let columns: [(storage: StorageID, table: String, column: String)] =
        Place.all.map { (.papers, $0.table, $0.column) } + [(.pictures, "pairs", "cover")]

    func run() async throws {
        for side in 0..<2 {
            try await persistently {
                let connection = try await PostgresConnection.connect(scene.urls[side])
                defer { connection.close() }
                try await Writer.resolve(on: connection, olderThan: 0, dice)
            }
        }
        _ = try await openAll("before it was reaped")
        // Now and then tombstones stay, as they do between two checkpoints.
        let keepsTombstones = dice.chance(3)
        for side in 0..<2 { try await settle(side, keepsTombstones) }
        let named = try await openAll("after it was reaped")
        try await list(named, keepsTombstones)
        if !keepsTombstones { for side in 0..<2 { try await check(side) } }
        counts.add(.checkpoint)
    }

    // MARK: Rows

    /// Opens the file of each row.
    private func openAll(_ when: String) async throws -> Set<Key> {
        var named: Set<Key> = []
        for side in 0..<2 {
            for (storage, table, column) in Self.columns {
                let sizes: SQL = storage == .pictures ? "cover_width, cover_height" : "NULL::integer, NULL::integer"
                let rows = try await persistently {
                    try await databases[side].query(
                        """
                        SELECT id, \(identifier: column), \(sql: sizes) FROM \(identifier: table) \
                        WHERE \(identifier: column) IS NOT NULL
                        """
                    )
                }
                for row in rows {
                    let name = try row.decode(String.self, at: 1)
                    let place = "\(Scene.sides[side]): row \(try row.decode(Int64.self, at: 0)) of \(table).\(column)"
                    let width = try row.decode(Int32?.self, at: 2).map { Int($0) }
                    let height = try row.decode(Int32?.self, at: 3).map { Int($0) }
                    try await open(name, place, when, storages[side].storage(for: storage), width, height)
                    named.insert(Key(side: side, storage: storage, name: name))
                }
            }
        }
        return named
    }

    private func open(
        _ name: String,
        _ place: String,
        _ when: String,
        _ storage: any Storage,
        _ width: Int?,
        _ height: Int?
    ) async throws {
        guard let contents = ChaosContents(name: name) else {
            return counts.violate("\(place) has \(name), which nobody has stored")
        }
        do {
            let bytes = try await storage.open(StorageName(validating: name)).collect(upTo: 1 << 20)
            if bytes != contents.bytes { counts.violate("wrong bytes, \(when): \(place) names \(name)") }
        } catch let error as StorageError {
            counts.violate("dangling, \(when): \(place) names \(name): \(error.code)")
        }
        if let width, let height, let size = contents.size, size != (width, height) {
            counts.violate("wrong size, \(when): \(place) names \(name), and says \(width) × \(height)")
        }
    }

    // MARK: The journal

    /// Reaps until nothing is left to do: leases of the dead have to run out first.
    private func settle(_ side: Int, _ keepsTombstones: Bool) async throws {
        let age = keepsTombstones ? Scene.tombstoneAge : .zero
        let configuration = ReaperConfiguration(
            retention: .zero,
            tombstoneAge: age,
            lease: .milliseconds(500),
            backoff: .milliseconds(10)
        )
        let limit = ContinuousClock.now + .seconds(60)
        var last = ""
        while true {
            // Nobody writes: what waits for a lease or for another try would only wait for longer.
            for table in ["journal SET lease_until", "reservations SET until"] {
                try await persistently {
                    try await databases[side].execute(
                        "UPDATE stored_files.\(raw: table) = clock_timestamp() \(raw: Self.waiting(table))"
                    )
                }
            }
            let report = try await persistently {
                try await databases[side].reap(configuration, waitLimit: .seconds(2))
            }
            let rows = try await persistently {
                try await databases[side].query(
                    """
                    SELECT concat_ws(' ', storage, name, state, lease_until - clock_timestamp(), attempts, last_error) \
                    FROM stored_files.journal WHERE state <> 'deleted' OR NOT \(keepsTombstones) \
                    UNION ALL SELECT storage || ' ' || name || ' reserved until ' || until FROM stored_files.reservations \
                    UNION ALL SELECT storage || ' ' || cardinality(names) || ' names let go' FROM stored_files.let_go
                    """
                )
            }
            if rows.isEmpty { return }
            let some = try rows.prefix(5).map { try $0.decode(String.self, at: 0) }
            last = "\(rows.count) names: \(some.joined(separator: "; "))"
            last += report.refusals.map { "; refused: \($0.error)" }.joined()
            guard ContinuousClock.now < limit else { break }
            try await Task.sleep(for: .milliseconds(20))
        }
        counts.violate("the journal of the \(Scene.sides[side]) does not become empty: \(last)")
    }

    /// Returns a condition for the rows of a table that wait for more than a moment.
    private static func waiting(_ table: String) -> String {
        let column = table.split(separator: " ").last ?? ""
        return "WHERE \(column) > clock_timestamp() + interval '1 s'"
    }

    // MARK: The storage

    /// Each object is named by a row of its side, or its name has a tombstone.
    private func list(_ named: Set<Key>, _ keepsTombstones: Bool) async throws {
        var dead: Set<Key> = []
        for side in 0..<2 where keepsTombstones {
            let rows = try await persistently {
                try await databases[side].query(
                    "SELECT storage, name FROM stored_files.journal WHERE state = 'deleted'"
                )
            }
            for row in rows {
                let storage = StorageID(try row.decode(String.self, at: 0))
                dead.insert(Key(side: side, storage: storage, name: try row.decode(String.self, at: 1)))
            }
        }
        var bystanders = 0
        for try await object in try FileSystemStorage(root: scene.root, durability: .none).list() {
            let parts = object.name.string.split(separator: "/", maxSplits: 2).map(String.init)
            if parts.first == "bystander" {
                bystanders += 1
                continue
            }
            guard parts.count == 3, let side = Scene.sides.firstIndex(of: parts[0]) else {
                counts.violate("an object that is nobody's: \(object.name)")
                continue
            }
            let key = Key(side: side, storage: StorageID(parts[1]), name: parts[2])
            guard !named.contains(key), !dead.contains(key) else { continue }
            if upheavals[side].wasBare(key.name) {
                // A table without triggers had the name of another: its files are their owner's business.
                try await storages[side].storage(for: key.storage).delete(StorageName(validating: key.name))
                counts.add(.bareOrphan)
            } else {
                counts.violate("orphan: no row and no tombstone names \(object.name)")
            }
        }
        if bystanders != Self.bystanders { counts.violate("only \(bystanders) bystanders are left") }
    }

    static let bystanders = 5

    /// Files that belong to no database.
    func putBystanders() async throws {
        let storage = try FileSystemStorage(root: scene.root, durability: .none)
        for number in 1...Self.bystanders {
            _ = try await storage.upload(.string("stays"), to: StorageName(validating: "bystander/\(number)"))
        }
    }

    /// The library's own check comes to the same.
    private func check(_ side: Int) async throws {
        for id in [StorageID.papers, .pictures] {
            let summary = try await persistently {
                try await databases[side].fsck(id, FsckConfiguration(minimumAge: .zero)) { _ in }
            }
            if summary.orphans + summary.danglingRows > 0 {
                counts.violate("fsck of \(id) on the \(Scene.sides[side]): \(summary)")
            }
        }
    }

    // MARK: What is known of a name

    /// Returns a description of what the sessions of the server do.
    func sessions() async -> String {
        let rows = try? await databases[0].query(
            """
            SELECT concat_ws(' ', pid, datname, application_name, state, wait_event_type, wait_event, \
            clock_timestamp() - state_change, pg_blocking_pids(pid)::text, left(query, 300)) FROM pg_stat_activity \
            WHERE backend_type = 'client backend' ORDER BY application_name, pid
            """
        )
        return (rows ?? nil).map { rows in
            rows.compactMap { try? $0.decode(String.self, at: 0) }.joined(separator: "\n")
        } ?? "The server does not say."
    }

    /// The names in violations, and what rows, the journal and the logs have of them.
    func explain(_ violations: [String]) async -> String {
        var names: [String] = []
        for violation in violations {
            for match in violation.matches(of: #/[a-z]+/[0-9A-Za-z]{26}/[si][0-9]+-[0-9x]+\.(?:bin|bmp)/#) {
                if !names.contains(String(match.output)) { names.append(String(match.output)) }
            }
        }
        var text = ""
        for name in names.prefix(5) {
            text += "\n\(name)\n"
            for side in 0..<2 { text += await (try? known(of: name, side)) ?? "  cannot be looked up\n" }
            text += logged(name)
        }
        return text
    }

    private func known(of name: String, _ side: Int) async throws -> String {
        var queries: [SQL] = Self.columns.map { _, table, column in
            """
            SELECT 'row ' || id FROM \(identifier: table) WHERE \(identifier: column) = \(name)
            """
        }
        queries += [
            "SELECT j::text FROM stored_files.journal AS j WHERE name = \(name)",
            "SELECT r::text FROM stored_files.reservations AS r WHERE name = \(name)",
            "SELECT 'let go' FROM stored_files.let_go AS l WHERE \(name) = ANY (names)",
        ]
        if try await Audit.isOn(databases[side]) {
            queries.append("SELECT a::text FROM chaos_audit AS a WHERE name = \(name) ORDER BY at")
        }
        var text = ""
        for query in queries {
            for row in try await databases[side].query(query) {
                let found = try row.decode(String.self, at: 0)
                text += "  \(Scene.sides[side]): \(found) (\(query.description.prefix(60)))\n"
            }
        }
        return text
    }

    private func logged(_ name: String) -> String {
        let logs = (try? FileManager.default.contentsOfDirectory(atPath: scene.folder + "/logs")) ?? []
        var lines: [Substring] = []
        for log in logs.sorted() {
            let text = try? String(contentsOfFile: "\(scene.folder)/logs/\(log)", encoding: .utf8)
            lines += (text ?? "").split(separator: "\n").filter { $0.contains(name) }
        }
        let events = try? String(contentsOfFile: scene.log(Scene.conductor), encoding: .utf8)
        lines += (events ?? "").split(separator: "\n")
        return lines.sorted().map { "  \($0)\n" }.joined()
    }
}
