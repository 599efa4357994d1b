import Platform
import PostgresModels
import StoredFilesTesting

/// A fresh database, closed at the end.
@discardableResult
func withDatabase<Result>(
    poolSize: Int = 4,
    _ body: (Database) async throws -> Result
) async throws -> Result {
    var configuration = DatabaseConfiguration()
    configuration.poolSize = poolSize
    // On a busy machine a cancelled statement may take long to stop.
    configuration.cancellationGracePeriod = .seconds(30)
    return try await TemporaryPostgres.testPermits.withPermit {
        let url = try await TemporaryPostgres.shared().makeDatabase()
        let database = try await Database.connect(url, configuration: configuration)
        do {
            let result = try await body(database)
            await database.close()
            return result
        } catch {
            await database.close()
            throw error
        }
    }
}

/// A model written by hand.
struct Author: Model, Equatable {
    static let table = "authors"
    static let columns = [
        ModelColumn("id", \Author.id),
        ModelColumn("name", \Author.name),
        ModelColumn("born", \Author.born),
    ]

    var id: Int64?
    var name: String
    var born: Int32?

    init(name: String, born: Int32? = nil) {
        self.name = name
        self.born = born
    }

    init(row: inout RowDecoder) throws {
        id = try row.next()
        name = try row.next()
        born = try row.next()
    }

    func encode(into row: inout RowEncoder) throws {
        try row.encode(id)
        try row.encode(name)
        try row.encode(born)
    }

    static let migration = Migration("create authors") { schema in
        try await schema.create(table: "authors") { table in
            table.identity()
            table.column("name", .text)
            table.column("born", .integer, optional: true)
            table.unique("name")
        }
    }
}
