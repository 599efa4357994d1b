import Foundation
import PostgresModels

/// The code of the article "Querying", word for word.
enum QueryingGuide {
    @Model("photos")
    struct Photo {
        var id: Int64?
        var title: String
        var stars: Int32
        var takenAt: Date?
    }

    func search(_ database: Database, for pattern: String) async throws -> [Photo] {
        try await database.all(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id LIMIT \(20)")
    }

    func photos(_ database: Database, since date: Date?, by column: String) async throws -> [Photo] {
        var conditions: [SQL] = ["stars > \(2)"]
        if let date { conditions.append("taken_at >= \(date)") }
        let filter = SQL.joined(conditions, separator: " AND ")
        return try await database.all(Photo.self, "WHERE \(sql: filter) ORDER BY \(identifier: column)")
    }

    func read(_ database: Database) async throws -> ([Photo?], Int) {
        let photo = try await database.find(Photo.self, 42)
        let newest = try await database.first(Photo.self, "ORDER BY taken_at DESC NULLS LAST")
        let total = try await database.count(Photo.self)
        for try await photo in database.stream(Photo.self, "ORDER BY id") { print(photo.title) }
        return ([photo, newest], total)
    }

    func write(_ database: Database) async throws {
        var photo = Photo(title: "Cat", stars: 4)
        try await database.insert(&photo)
        photo.title = "Cat, asleep"
        try await database.update(photo, only: [\Photo.title])
        try await database.delete(photo)
        var many = (1...5000).map { Photo(title: "Frame \($0)", stars: 0) }
        try await database.insert(&many)
    }

    func count(_ database: Database) async throws {
        for row in try await database.query("SELECT stars, count(*) AS n FROM photos GROUP BY stars") {
            print(try row.decode(Int32.self, named: "stars"), try row.decode(Int.self, named: "n"))
        }
        try await database.execute("UPDATE photos SET stars = 0 WHERE taken_at IS NULL")
    }
}
