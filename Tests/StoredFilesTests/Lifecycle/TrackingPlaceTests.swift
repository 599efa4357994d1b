import StoredFiles
import StoredFilesTesting
import Testing

/// A column stays the field that it was, whatever names it and its table have had, and is never two fields.
@Suite("Identity of tracked fields")
struct TrackingPlaceTests {
    /// Changes of a table `old` with the tracked columns `f` and `g`, after which both are tracked in a table `new`.
    enum Change: String, CaseIterable, Sendable {
        case tableRenamedWhileUntracked, columnRenamedWhileUntracked, bothRenamedWhileUntracked
        case columnsSwapped, columnsSwappedWhileUntracked, columnReplacedByOther, columnMadeAnewWhileUntracked
        case tableReplacedByOther, tableMadeAnewUnderFormerName, numberTaken

        var steps: [SQL] {
            let untrack: SQL = "SELECT stored_files.untrack('old'::regclass, NULL)"
            let rename: SQL = "ALTER TABLE old RENAME TO new"
            let swap: [SQL] = [
                "ALTER TABLE old RENAME COLUMN f TO x", "ALTER TABLE old RENAME COLUMN g TO f",
                "ALTER TABLE old RENAME COLUMN x TO g",
            ]
            return switch self {
            case .tableRenamedWhileUntracked: [untrack, rename]
            case .columnRenamedWhileUntracked:
                [untrack, "ALTER TABLE old RENAME COLUMN f TO h", "ALTER TABLE old RENAME COLUMN h TO f", rename]
            case .bothRenamedWhileUntracked:
                [
                    untrack, rename, "ALTER TABLE new RENAME COLUMN f TO h",
                    "SELECT stored_files.track('new', 'h', 'papers')",
                    "ALTER TABLE new RENAME COLUMN h TO f",
                ]
            case .columnsSwapped: swap + [rename]
            case .columnsSwappedWhileUntracked: [untrack] + swap + [rename]
            case .columnReplacedByOther:
                [
                    "SELECT stored_files.untrack('old'::regclass, 'f', true)", "ALTER TABLE old DROP COLUMN f",
                    "ALTER TABLE old RENAME COLUMN g TO f", "ALTER TABLE old ADD COLUMN g text", rename,
                ]
            case .columnMadeAnewWhileUntracked:
                [untrack, "ALTER TABLE old DROP COLUMN f", "ALTER TABLE old ADD COLUMN f text", rename]
            case .tableReplacedByOther:
                [
                    "ALTER TABLE old RENAME TO new", "CREATE TABLE old (id int, f text, g text)",
                    "SELECT stored_files.track('old', 'f', 'papers'), stored_files.track('old', 'g', 'papers')",
                ]
            case .tableMadeAnewUnderFormerName:
                [
                    rename, "SELECT stored_files.renew()", "ALTER TABLE new RENAME TO away",
                    "SELECT stored_files.renew()",
                    "ALTER TABLE away RENAME TO new", "DROP TABLE new", "CREATE TABLE new (id int, f text, g text)",
                ]
            case .numberTaken:
                // As after a restore into a cluster where another table has the number.
                [untrack, rename, "UPDATE stored_files.fields SET origin = '1', column_number = column_number + 7"]
            }
        }
    }

    @Test("A column that is tracked again after a change has exactly one field", arguments: Change.allCases)
    func change(_ change: Change) async throws {
        try await TestApplication.run { app in
            let database = app.database
            try await database.execute("CREATE TABLE old (id int, f text, g text)")
            try await database.execute("SELECT stored_files.track('old', 'f', 'papers')")
            try await database.execute("SELECT stored_files.track('old', 'g', 'papers')")
            for step in change.steps { try await database.execute(step) }
            try await database.migrate(
                albumMigrations + [
                    Migration("again") { schema in
                        try await schema.track("f", of: "new", in: .papers)
                        try await schema.track("g", of: "new", in: .papers)
                    }
                ]
            )
            let fields = try await database.query(
                """
                SELECT column_name::text FROM stored_files.fields WHERE relation = 'new'::regclass AND ended_at IS NULL \
                ORDER BY 1
                """
            )
            #expect(try fields.map { try $0.decode(String.self, at: 0) } == ["f", "g"])
            let problems = try await database.query(
                "SELECT problem FROM stored_files.catalogue('papers') WHERE problem IS NOT NULL"
            )
            #expect(try problems.map { try $0.decode(String.self, at: 0) } == [])
            // One trigger of each kind for each, which write a name down once.
            try await database.execute("INSERT INTO new (id, f, g) VALUES (1, 'a', 'b')")
            try await database.execute("DELETE FROM new")
            let names = try await database.query("SELECT unnest(names) FROM stored_files.let_go ORDER BY 1")
            #expect(try names.map { try $0.decode(String.self, at: 0) } == ["a", "b"])
        }
    }

    @Test("Sessions that track a column at the same time make one field")
    func atOnce() async throws {
        try await TestApplication.run { app in
            let database = app.database
            try await database.execute("CREATE TABLE twice (id int, f text)")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await database.execute("SELECT stored_files.track('twice', 'f', 'papers')") }
                }
                try await group.waitForAll()
            }
            let count = try await database.query(
                "SELECT count(*) FROM stored_files.fields WHERE relation = 'twice'::regclass"
            ).first?.decode(Int.self, at: 0)
            #expect(count == 1)
        }
    }
}
