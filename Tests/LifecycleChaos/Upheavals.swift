import Foundation
import NIOConcurrencyHelpers
import PostgresModels
import StoredFiles

/// The changes that other programs and migrations make to the tables of one database, and then undo.
final class Upheavals: Sendable {
    static let kinds: [Happening] = [
        .renameTable, .renameColumn, .detachPartition, .addPartition, .dropColumn, .dropTable, .swapTables,
        .replaceTable, .changeType,
    ]

    private let scene: Scene
    private let side: Int
    let database: Database
    private let papers: any Storage
    private let counts: Counts
    private let dice: Dice
    private let sabotage: Sabotage?
    private let deck: NIOLockedValueBox<Deck<Happening>>
    private let number = NIOLockedValueBox(0)
    private let bareTimes = NIOLockedValueBox<[ClosedRange<Date>]>([])

    init(
        _ scene: Scene,
        _ side: Int,
        _ database: Database,
        _ counts: Counts,
        _ dice: Dice,
        _ settings: Settings
    ) throws {
        self.scene = scene
        self.side = side
        self.database = database
        sabotage = settings.sabotage
        papers = try scene.storages(of: side).storage(for: .papers)
        self.counts = counts
        self.dice = dice
        deck = NIOLockedValueBox(Deck(Self.kinds.filter { !settings.leavingOut.contains($0.rawValue) }))
    }

    /// Makes one upheaval and undoes it.
    func run() async throws {
        let kind = deck.withLockedValue { $0.deal(dice) }
        turn()
        let start = Date()
        scene.note("\(kind) begins on the \(Scene.sides[side])")
        switch kind {
        case .renameTable: try await renameTable()
        case .renameColumn: try await renameColumn()
        case .detachPartition: try await detachPartition()
        case .addPartition: try await addPartition()
        case .dropColumn: try await dropColumn()
        case .dropTable: try await dropTable()
        case .swapTables: try await swapTables()
        case .replaceTable: try await replaceTable()
        default: try await changeType()
        }
        turn()
        scene.note("\(kind) is over on the \(Scene.sides[side])")
        if kind == .replaceTable { bareTimes.withLockedValue { $0.append(start...Date()) } }
        counts.add(kind)
    }

    /// Returns whether a file was stored for a table that had no triggers: nobody deletes what no row came to name.
    func wasBare(_ name: String) -> Bool {
        let parts = name.split(separator: "/")
        guard parts.count == 3, parts[0] == "notes", let time = Self.time(ofRandom: parts[1]) else { return false }
        return bareTimes.withLockedValue { times in times.contains { $0.contains(time) } }
    }

    /// The random part of a name begins with the time in milliseconds, in ten digits of Crockford's base 32.
    private static func time(ofRandom text: Substring) -> Date? {
        let digits = Array("0123456789abcdefghjkmnpqrstvwxyz")
        var milliseconds = 0
        for character in text.lowercased().prefix(10) {
            guard let digit = digits.firstIndex(of: character) else { return nil }
            milliseconds = milliseconds << 5 | digit
        }
        return Date(timeIntervalSince1970: Double(milliseconds) / 1000)
    }

    /// Announces to the others that an upheaval begins, or is over.
    private func turn() {
        let number = number.withLockedValue { number in
            number += 1
            return number
        }
        scene.upheaval(side).set("\(number)")
    }

    private func pause() async throws {
        try await Task.sleep(for: dice.milliseconds(100...1200))
    }

    // MARK: Statements

    private func isTrue(_ condition: String) async throws -> Bool {
        let rows = try await database.query("SELECT coalesce(\(raw: condition), false)")
        return try rows.first?.decode(Bool.self, at: 0) ?? false
    }

    /// Sees to it that a condition holds, by statements or by a migration that has them, whatever happens to the
    /// server.
    private func ensure(
        _ condition: String,
        _ statements: [String],
        migration: (@Sendable (SchemaBuilder) async throws -> Void)? = nil
    ) async throws {
        let isMigration = statements.isEmpty || dice.chance(2)
        let body: Migration.Body = { schema in
            if let migration { return try await migration(schema) }
            for statement in statements { try await schema.execute("\(raw: statement)") }
        }
        let change = Migration("upheaval \(dice.next())", up: body)
        try await persistently {
            if try await isTrue(condition) { return }
            try await resolvePrepared()
            if isMigration {
                _ = try await database.migrate([change], timeout: .seconds(20), lockTimeout: .seconds(2))
            } else {
                try await database.transaction(settings: ["lock_timeout": "2s"]) { transaction in
                    for statement in statements { try await transaction.execute("\(raw: statement)") }
                }
            }
            // Not yet, when the server has forgotten it.
            guard try await isTrue(condition) else {
                throw DatabaseError(code: .connectionLost, message: "\(condition) does not hold yet")
            }
        }
        // A migration would have mended it.
        if let sabotage { try await persistently { try await sabotage.commit(in: database) } }
        counts.add(isMigration ? .byMigration : .byStatement)
    }

    /// Prepared transactions hold locks that nobody else would give back.
    private func resolvePrepared() async throws {
        let connection = try await PostgresConnection.connect(scene.urls[side])
        defer { connection.close() }
        try await Writer.resolve(on: connection, olderThan: 1, dice)
    }

    /// A look of a reaper is refused, and says why.
    private func expectRefusal(_ phrase: String) async throws {
        for _ in 0..<500 {
            let report = try await persistently {
                try await database.reap(ReaperConfiguration(retention: .zero), waitLimit: .zero)
            }
            if let refusal = report.refusals.first(where: { "\($0.error)".contains(phrase) }) {
                if counts[.refusalSeen] < 4 { say("refused on the \(Scene.sides[side]): \(refusal.error)") }
                return counts.add(.refusalSeen)
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        counts.violate("nothing was refused on the \(Scene.sides[side]) although the catalogue should say: \(phrase)")
    }

    // MARK: Renames

    private func renameTable() async throws {
        let table = dice.pick(["notes", "pairs", "letters", "parts", "extras"])
        try await ensure("to_regclass('\(table)_away') IS NOT NULL", ["ALTER TABLE \(table) RENAME TO \(table)_away"])
        try await pause()
        try await ensure("to_regclass('\(table)_away') IS NULL", ["ALTER TABLE \(table)_away RENAME TO \(table)"])
    }

    private func renameColumn() async throws {
        let (table, column) = dice.pick([
            ("notes", "file"), ("pairs", "front"), ("pairs", "back"), ("pairs", "cover"), ("letters", "file"),
            ("parts", "file"),
        ])
        func has(_ name: String) -> String {
            """
            EXISTS (SELECT FROM pg_attribute WHERE attrelid = '\(table)'::regclass AND attname = '\(name)' \
            AND NOT attisdropped)
            """
        }
        let away = column + "_away"
        try await ensure(has(away), ["ALTER TABLE \(table) RENAME COLUMN \(column) TO \(away)"]) { schema in
            try await schema.rename(column: column, of: table, to: away)
        }
        try await pause()
        try await ensure(has(column), ["ALTER TABLE \(table) RENAME COLUMN \(away) TO \(column)"]) { schema in
            try await schema.rename(column: away, of: table, to: column)
        }
    }

    /// Two tables change their names, and change them back.
    private func swapTables() async throws {
        let statements = [
            "ALTER TABLE hither RENAME TO between", "ALTER TABLE thither RENAME TO hither",
            "ALTER TABLE between RENAME TO thither",
        ]
        let rows = try await persistently {
            try await database.query("SELECT 'hither'::regclass::oid::bigint, 'thither'::regclass::oid::bigint")
        }
        guard let row = rows.first else { return }
        let (hither, thither) = (try row.decode(Int64.self, at: 0), try row.decode(Int64.self, at: 1))
        try await ensure("'hither'::regclass::oid = \(thither)", statements)
        try await pause()
        try await ensure("'hither'::regclass::oid = \(hither)", statements)
    }

    // MARK: Partitions

    private func detachPartition() async throws {
        let isPart = "(SELECT relispartition FROM pg_class WHERE oid = 'parts_1'::regclass)"
        try await ensure("NOT \(isPart)", ["ALTER TABLE parts DETACH PARTITION parts_1"])
        try await pause()
        try await ensure(isPart, ["ALTER TABLE parts ATTACH PARTITION parts_1 FOR VALUES IN (1)"])
    }

    /// A partition comes, is filled, and is dropped by a migration, detached before or not.
    private func addPartition() async throws {
        try await ensure(
            "to_regclass('parts_3') IS NOT NULL",
            ["CREATE TABLE parts_3 PARTITION OF parts FOR VALUES IN (3)"]
        )
        try await pause()
        if dice.chance(2) {
            // A reaper has seen it before: that is what one runs for.
            _ = try await persistently { try await database.reap(waitLimit: .zero) }
            try await ensure(
                "NOT (SELECT relispartition FROM pg_class WHERE oid = 'parts_3'::regclass)",
                ["ALTER TABLE parts DETACH PARTITION parts_3"]
            )
            try await pause()
        }
        try await ensure("to_regclass('parts_3') IS NULL", []) { try await $0.drop(table: "parts_3") }
        counts.add(.dropPartition)
    }

    // MARK: What cannot be followed

    /// Drops a column as another program does, which is refused until it is put back.
    private func dropColumn() async throws {
        try await ensure(
            "to_regclass('extras_saved') IS NOT NULL",
            [
                "LOCK TABLE extras IN ACCESS EXCLUSIVE MODE",
                "CREATE TABLE extras_saved AS SELECT id, label, file FROM extras",
                "ALTER TABLE extras DROP COLUMN file CASCADE",
            ]
        )
        try await expectRefusal("is gone")
        try await pause()
        try await expectSaved()
        try await restore([
            "ALTER TABLE extras ADD COLUMN file text",
            "UPDATE extras AS e SET file = s.file FROM extras_saved AS s WHERE s.id = e.id",
            "ALTER TABLE extras ADD CONSTRAINT extras_file_names_one_row UNIQUE (file)",
            """
            INSERT INTO extras (id, label, file) OVERRIDING SYSTEM VALUE \
            SELECT s.id, s.label, s.file FROM extras_saved AS s WHERE NOT EXISTS (SELECT FROM extras AS e WHERE e.id = s.id)
            """,
        ])
    }

    private func dropTable() async throws {
        try await ensure(
            "to_regclass('extras_saved') IS NOT NULL",
            [
                "LOCK TABLE extras IN ACCESS EXCLUSIVE MODE",
                "CREATE TABLE extras_saved AS SELECT id, label, file FROM extras",
                "DROP TABLE extras CASCADE",
            ]
        )
        try await expectRefusal("is gone")
        try await pause()
        try await expectSaved()
        try await restore([
            """
            CREATE TABLE extras (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, label text, file text, \
            CONSTRAINT extras_file_names_one_row UNIQUE (file))
            """,
            "INSERT INTO extras (id, label, file) SELECT id, label, file FROM extras_saved",
            """
            SELECT setval(pg_get_serial_sequence('extras', 'id'), (SELECT coalesce(max(id), 1) FROM extras))
            """,
        ])
    }

    /// The rows first, then the triggers: they are what was there before.
    private func restore(_ statements: [String]) async throws {
        let forget = "SELECT stored_files.forget_field(id) FROM stored_files.fields WHERE table_name = 'extras'"
        let before = dice.chance(2) ? [forget] : []
        let whole = before + statements
        try await ensure(
            "to_regclass('extras_saved') IS NULL",
            whole + ["SELECT stored_files.track('extras', 'file', 'papers')", "DROP TABLE extras_saved"]
        ) { schema in
            for statement in whole { try await schema.execute("\(raw: statement)") }
            try await schema.track("file", of: "extras", in: .papers)
            try await schema.execute("DROP TABLE extras_saved")
        }
    }

    /// The files of rows that cannot be seen are all there.
    private func expectSaved() async throws {
        let rows = try await persistently {
            try await database.query("SELECT file FROM extras_saved WHERE file IS NOT NULL")
        }
        for row in rows {
            let name = try row.decode(String.self, at: 0)
            if try await !papers.exists(StorageName(validating: name)) {
                counts.violate("deleted although it was refused on the \(Scene.sides[side]): extras named \(name)")
            }
        }
    }

    /// Another table takes the place of one, and is refused; nobody can write to it.
    private func replaceTable() async throws {
        try await ensure(
            "to_regclass('notes_away') IS NOT NULL",
            [
                "CREATE TABLE notes_fresh (LIKE notes INCLUDING ALL)",
                """
                CREATE OR REPLACE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS \
                'BEGIN RAISE EXCEPTION USING ERRCODE = ''\(Judge.guarded)'', MESSAGE = ''nobody writes here''; END'
                """,
                """
                CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON notes_fresh FOR EACH STATEMENT EXECUTE FUNCTION guard()
                """,
                "ALTER TABLE notes RENAME TO notes_away", "ALTER TABLE notes_fresh RENAME TO notes",
            ]
        )
        try await expectRefusal("in its place has no triggers")
        try await pause()
        try await ensure(
            "to_regclass('notes_away') IS NULL",
            ["DROP TABLE notes", "ALTER TABLE notes_away RENAME TO notes"]
        )
    }

    private func changeType() async throws {
        for type in ["character varying", "text"] {
            let condition = """
                EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'letters'::regclass AND attname = 'file' \
                AND atttypid = '\(type)'::regtype)
                """
            try await ensure(condition, []) { schema in
                try await schema.untrack("file", of: "letters")
                try await schema.execute("ALTER TABLE letters ALTER COLUMN file TYPE \(raw: type)")
                try await schema.track("file", of: "letters", in: .papers)
            }
            if dice.chance(2) { try await pause() }
        }
    }
}
