import Foundation
import PostgresModels

/// The code of the article "PostgresModels", word for word.
enum PostgresModelsGuide {
    @Model("photos")
    struct Photo {
        var id: Int64?
        var title: String
        var takenAt: Date?
    }

    func findCats(at address: String, like pattern: String) async throws -> [Photo] {
        let database = try await Database.connect(address)
        var photo = Photo(title: "Cat")
        try await database.insert(&photo)
        let cats = try await database.all(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id")
        await database.close()
        return cats
    }
}
