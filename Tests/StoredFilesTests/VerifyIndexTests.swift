import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Indexes for looking up the rows of files", .timeLimit(.minutes(10)))
struct VerifyIndexTests {
    @Model("sheets")
    struct Sheet {
        var id: Int64?
        @StoredFile(in: .papers) var paper: StorageFile? = nil
    }

    struct Column: Sendable, CustomTestStringConvertible {
        let definition: String
        let index: String?
        let serves: Bool

        init(_ definition: String, _ index: String?, serves: Bool) {
            self.definition = definition
            self.index = index
            self.serves = serves
        }

        var testDescription: String { "\(definition), \(index ?? "no index")" }
    }

    static let columns = [
        Column("text", nil, serves: false), Column("text", "(paper)", serves: true),
        Column("text", "USING hash (paper)", serves: true), Column("text", "(paper, id)", serves: true),
        Column("text", "(id, paper)", serves: false), Column("text", "(paper) WHERE id > 1", serves: false),
        Column("text", "(paper text_pattern_ops)", serves: true), Column("text", "USING brin (paper)", serves: false),
        Column("text", "(paper COLLATE \"C\")", serves: false), Column("text", "(lower(paper))", serves: false),
        Column("text COLLATE \"C\"", "(paper)", serves: true),
        Column("text COLLATE \"C\"", "(paper COLLATE \"POSIX\")", serves: false),
        Column("text COLLATE any_case", "(paper)", serves: true),
        Column("text COLLATE any_case", "(paper COLLATE \"C\")", serves: false),
        Column("varchar(40)", "(paper)", serves: true), Column("varchar(40)", "((paper::text))", serves: true),
        Column("char(20)", "(paper)", serves: false), Column("char(20)", "((paper::text))", serves: true),
        Column("citext", "(paper)", serves: false), Column("citext", "((paper::text))", serves: true),
        Column("name", "(paper)", serves: true), Column("sheet_name", "(paper)", serves: true),
        Column("fixed_name", "(paper)", serves: false), Column("fixed_name", "((paper::text))", serves: true),
    ]

    private func withSheets(_ column: Column, _ body: (TestApplication) async throws -> Void) async throws {
        try await TestApplication.run { app in
            for sql in [
                "CREATE EXTENSION citext", "CREATE DOMAIN sheet_name AS text", "CREATE DOMAIN fixed_name AS char(20)",
                "CREATE COLLATION any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                "CREATE TABLE sheets (id int8 GENERATED ALWAYS AS IDENTITY, paper \(column.definition))",
                "INSERT INTO sheets (paper) SELECT 'x' || n FROM generate_series(1, 10000) AS n",
            ] {
                try await app.database.execute("\(raw: sql)")
            }
            if let index = column.index { try await app.database.execute("CREATE INDEX ON sheets \(raw: index)") }
            try await app.database.migrate(
                albumMigrations + [Migration("track") { try await $0.track("paper", of: "sheets", in: .papers) }]
            )
            try await body(app)
        }
    }

    /// Returns the warning of `verify` about the column, `nil` when there is none about its index.
    private func warning(in app: TestApplication) async throws -> String? {
        do {
            try await app.database.verify(Sheet.self)
            return nil
        } catch let error as DatabaseError {
            return error.message.contains("reads the whole of sheets") ? error.message : nil
        }
    }

    /// Returns the number of rows that are read by a look-up of one name.
    private func rowsRead(in app: TestApplication) async throws -> Int {
        try await app.database.transaction { transaction in
            // What the session has read before may be among it.
            let before = try await tuplesReturned(in: transaction)
            let found = try await transaction.query("SELECT FROM stored_files.named('papers', ARRAY['x7'])")
            #expect(found.count == 1)
            return try await tuplesReturned(in: transaction) - before
        }
    }

    private func tuplesReturned(in transaction: Transaction) async throws -> Int {
        let rows = try await transaction.query(
            """
            SELECT sum(pg_stat_get_xact_tuples_returned(r))::int8 FROM (SELECT 'sheets'::regclass::oid \
            UNION SELECT indexrelid FROM pg_index WHERE indrelid = 'sheets'::regclass) AS x (r)
            """
        )
        return try #require(rows.first).decode(Int.self, at: 0)
    }

    @Test(
        "Verifying reports exactly the columns whose lookups read the whole table, with a remedy",
        arguments: columns
    )
    func index(_ column: Column) async throws {
        try await withSheets(column) { app in
            let warning = try await warning(in: app)
            #expect((warning == nil) == column.serves, "\(warning ?? "no warning")")
            #expect(try await (rowsRead(in: app) < 100) == column.serves)
            guard let warning, let remedy = warning.firstMatch(of: #/CREATE INDEX ON sheets .*\)/#) else { return }
            try await app.database.execute("\(raw: String(remedy.output))")
            #expect(try await self.warning(in: app) == nil)
            #expect(try await rowsRead(in: app) < 100)
        }
    }

    @Test("Verifying names a partition without an index, but not its siblings")
    func partitions() async throws {
        try await TestApplication.run { app in
            for sql in [
                "CREATE TABLE sheets (id int8, paper text) PARTITION BY RANGE (id)",
                "CREATE TABLE sheets_a PARTITION OF sheets FOR VALUES FROM (0) TO (10)",
                "CREATE TABLE sheets_b PARTITION OF sheets FOR VALUES FROM (10) TO (20)",
                "CREATE INDEX ON sheets_a (paper)",
            ] {
                try await app.database.execute("\(raw: sql)")
            }
            try await app.database.migrate(
                albumMigrations + [Migration("track") { try await $0.track("paper", of: "sheets", in: .papers) }]
            )
            let error = await #expect(throws: DatabaseError.self) { try await app.database.verify(Sheet.self) }
            #expect(error?.message.contains("reads the whole of sheets_b: ") == true)
            #expect(error?.message.contains("CREATE INDEX ON sheets_b (paper)") == true)
            try await app.database.execute("CREATE INDEX ON sheets (paper)")
            try await app.database.verify(Sheet.self)
        }
    }
}
