// The code of the landing page StoredFiles, block by block: GuideTests compares the two.
import StoredFiles

enum StoredFilesGuide {
    @Model("people")
    struct Person {
        var id: Int64?
        var name: String
        @StoredImage(in: "portraits", path: "portraits", width: "portrait_width", height: "portrait_height")
        var portrait: StorageImage? = nil
    }

    func addPerson(named name: String, portrait: UploadBody, to database: Database) async throws {
        var person = Person(name: name)
        person.portrait = try await database.store(portrait, named: "portrait.jpg", for: \Person.$portrait)
        try await database.insert(&person)
    }
}
