import PostgresModels
import StoredFilesTesting
import Testing

@Suite("Migrations")
struct MigrationTests {
    private static let books = Migration("create books") { schema in
        try await schema.create(table: "books") { table in
            table.uuidIdentity()
            table.column("title", .text, default: "'untitled'")
            table.reference("author", to: "authors", onDelete: .cascade)
            table.check("title <> ''")
            table.index("author", "title")
        }
    } down: { schema in
        try await schema.drop(table: "books")
    }

    @Test func migrationsAreAppliedOnceInOrder() async throws {
        try await withDatabase { database in
            let all = [Author.migration, Self.books]
            #expect(try await database.migrate([Author.migration]) == ["create authors"])
            #expect(try await database.migrate(all) == ["create books"])
            #expect(try await database.migrate(all).isEmpty)
            let status = try await database.migrationStatus(all)
            #expect(status.map(\.name) == ["create authors", "create books"])
            #expect(status.allSatisfy { $0.appliedAt != nil && !$0.isChanged })
        }
    }

    @Test func statusOfADatabaseThatWasNeverMigratedSaysSoAndChangesNothing() async throws {
        try await withDatabase { database in
            let status = try await database.migrationStatus([Author.migration])
            #expect(status.first?.appliedAt == nil)
            let row = try #require(await database.query("SELECT to_regnamespace('stored_files') IS NULL").first)
            #expect(try row.decode(Bool.self, at: 0))
        }
    }

    @Test func eightAtTheSameTimeApplyEachOnce() async throws {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var configuration = DatabaseConfiguration()
                    configuration.poolSize = 1
                    let database = try await Database.connect(url, configuration: configuration)
                    let names = try await database.migrate([Author.migration, Self.books])
                    await database.close()
                    return names
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["create authors", "create books"])
    }

    @Test func aMigrationChangedAfterwardsIsNamedAndNothingIsApplied() async throws {
        try await withDatabase { database in
            try await database.migrate([Author.migration])
            let changed = Migration("create authors") { try await $0.execute("CREATE TABLE authors (id int)") }
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([changed, Self.books])
            }
            #expect(error?.code == .changedAfterApplying)
            #expect(error?.migration == "create authors")
            #expect(try await database.migrationStatus([changed]).first?.isChanged == true)
            #expect(try await database.migrationStatus([Self.books]).first?.appliedAt == nil)
        }
    }

    @Test func aFailureRollsTheWholeMigrationBackAndKeepsThoseBefore() async throws {
        try await withDatabase { database in
            let broken = Migration("broken") { schema in
                try await schema.execute("CREATE TABLE half (n int)")
                try await schema.execute("SELECT 1/0")
            }
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([Author.migration, broken])
            }
            #expect(error?.code == .failed)
            #expect((error?.underlying as? DatabaseError)?.sqlState == "22012")
            let row = try #require(await database.query("SELECT to_regclass('half') IS NULL").first)
            #expect(try row.decode(Bool.self, at: 0))
            let status = try await database.migrationStatus([Author.migration, broken])
            #expect(status.map { $0.appliedAt != nil } == [true, false])
            // The lock was given back.
            #expect(try await database.migrate([Author.migration]).isEmpty)
        }
    }

    @Test func anIndexIsBuiltConcurrentlyOutsideATransactionWhileAnotherWaits() async throws {
        try await withDatabase { database in
            let index = Migration("index", outsideTransaction: true) { schema in
                try await schema.execute("CREATE INDEX CONCURRENTLY authors_born ON authors (born)")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await database.migrate([Author.migration, index]) }
                }
                try await group.waitForAll()
            }
            let row = try #require(
                await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'authors_born'::regclass")
                    .first
            )
            #expect(try row.decode(Bool.self, at: 0))
        }
    }

    @Test func theLastOneIsReverted() async throws {
        try await withDatabase { database in
            let all = [Author.migration, Self.books]
            try await database.migrate(all)
            #expect(try await database.revert(all) == ["create books"])
            let error = await #expect(throws: MigrationError.self) { try await database.revert(all) }
            #expect(error?.code == .irreversible)
            #expect(try await database.migrate(all) == ["create books"])
        }
    }

    @Test func twoOfOneNameAreRefused() async throws {
        try await withDatabase { database in
            let error = await #expect(throws: MigrationError.self) {
                try await database.migrate([Author.migration, Author.migration])
            }
            #expect(error?.code == .duplicateName)
        }
    }

    @Test func aNameThatIsTooLongIsRefusedWhereItIsWritten() async throws {
        try await withDatabase { database in
            let long = Migration("long") { schema in
                try await schema.create(table: String(repeating: "t", count: 64)) { $0.identity() }
            }
            let error = await databaseFailure { try await database.migrate([long]) }
            #expect(error?.code == .invalidIdentifier)
        }
    }
}
