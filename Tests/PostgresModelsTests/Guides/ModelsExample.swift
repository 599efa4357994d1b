import Foundation
import PostgresModels

/// The code of the article "Models", word for word.
enum ModelsGuide {
    @Model("articles")
    struct Article {
        var id: Int64?
        var title: String
        @Column("text") var body: String
        var createdAt: Date
        var subtitle: String?
    }

    @Model("countries")
    struct Country {
        @ID var code: String
        var name: String
    }

    func makeMigrations() -> [Migration] {
        let migrations = [
            Migration("2026-11-23 create articles") { schema in
                try await schema.create(table: "articles") { table in
                    table.identity()
                    table.column("title", .text)
                    table.column("text", .text)
                    table.column("created_at", .timestamptz)
                    table.column("subtitle", .text, optional: true)
                }
            }
        ]
        return migrations
    }

    struct Author: Model {
        static let table = "authors"
        static let columns = [
            ModelColumn("id", \Author.id),
            ModelColumn("name", \Author.name),
        ]

        var id: Int64?
        var name: String

        init(row: inout RowDecoder) throws {
            id = try row.next()
            name = try row.next()
        }

        func encode(into row: inout RowEncoder) throws {
            try row.encode(id)
            try row.encode(name)
        }
    }

    func prepare(_ database: Database, _ migrations: [Migration]) async throws {
        try await database.migrate(migrations)
        try await database.verify(Article.self)
    }
}
