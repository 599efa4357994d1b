import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("SQL with values")
struct SQLTests {
    @Test(
        "Text that is interpolated into SQL is always a value",
        arguments: ["'; DROP TABLE authors; --", "' OR '1'='1", "\\'; --", "$1", "${x}", "%s", "\u{1F600}'"]
    )
    func whatIsInterpolatedIsAValueAndNothingElse(_ text: String) async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: text)
            try await database.insert(&author)
            let found = try await database.all(Author.self, "WHERE name = \(text)")
            #expect(found == [author])
            #expect(try await database.count(Author.self) == 1)
        }
    }

    @Test(
        "Identifiers that are interpolated into SQL are quoted",
        arguments: [
            "we\"ird name; --", "\"", "\"\"", "x\"\u{301}; DROP TABLE y", "\u{301}\"\u{FE0F}", "\"\u{200D}\"",
            "tab\t\r\n",
        ]
    )
    func identifiersAreQuoted(_ name: String) async throws {
        try await withDatabase { database in
            try await database.execute("CREATE TABLE \(identifier: name) (n int)")
            try await database.execute("INSERT INTO \(identifier: name) VALUES (\(3))")
            let rows = try await database.query("SELECT n FROM \(identifier: name)")
            #expect(try rows.first?.decode(Int.self, at: 0) == 3)
            let named = try await database.query("SELECT count(*) FROM pg_class WHERE relname = \(name)")
            #expect(try named.first?.decode(Int.self, at: 0) == 1)
        }
    }

    @Test(
        "An identifier that is empty, too long or contains NUL is refused",
        arguments: ["", "nul\u{0}", String(repeating: "x", count: 64), String(repeating: "é", count: 32)]
    )
    func identifiersThatPostgreSQLWouldCutAreRefused(_ name: String) async throws {
        try await withDatabase { database in
            let error = try await databaseError {
                try await database.execute("CREATE TABLE \(identifier: name) (n int)")
            }
            #expect(error?.code == .invalidIdentifier)
        }
    }

    @Test("Joined pieces of SQL keep their values")
    func piecesKeepTheirValuesWhenJoined() async throws {
        try await withDatabase { database in
            let conditions: [SQL] = ["n > \(2)", "n < \(5)", "n <> ALL(\([Int64(4)]))"]
            let rows = try await database.query(
                "SELECT n FROM generate_series(\(1), 9) AS n WHERE \(sql: .joined(conditions, separator: " AND "))"
            )
            #expect(try rows.map { try $0.decode(Int.self, at: 0) } == [3])
        }
    }

    @Test("The description of SQL shows placeholders instead of values")
    func theDescriptionShowsNoValue() {
        let secret = "hunter2"
        let sql: SQL = "SELECT * FROM users WHERE password = \(secret) AND id = \(7)"
        #expect(sql.description == "SELECT * FROM users WHERE password = $1 AND id = $2")
    }

    @Test("An error of the server shows no bound value")
    func errorsOfTheServerShowNoBoundValue() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            var author = Author(name: "hunter2")
            try await database.insert(&author)
            var twin = Author(name: "hunter2")
            let error = try await databaseError { try await database.insert(&twin) }
            #expect(error?.code == .uniqueViolation)
            #expect(error?.constraint == "authors_name_key")
            #expect(error.map { "\($0)" }?.contains("hunter2") == false)
        }
    }
}
