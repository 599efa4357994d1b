// The example of the README, word for word between the marks: the test beside it runs the code and compares the text.
// README: begin
import Foundation
import StoredFiles

extension StorageID {
    static let media: Self = "media"
    static let documents: Self = "documents"
}

@Model("photos")
struct Photo {
    var id: Int64?
    var title: String
    @StoredFile(in: .documents, path: "releases")
    var release: StorageFile? = nil
    @StoredImage(in: .media, path: "covers", width: "cover_width", height: "cover_height")
    var cover: StorageImage? = nil
}

let migrations = [
    Migration("2026-11-23 create photos") { schema in
        try await schema.create(table: "photos") { table in
            table.identity()
            table.column("title", .text)
            table.storedFile("release", in: .documents)
            table.storedImage("cover", in: .media, width: "cover_width", height: "cover_height")
        }
    }
]

func tour(of address: String, files: String, picture: String) async throws {
    let storages = StorageRegistry([
        .media: try FileSystemStorage(root: files + "/media"),
        .documents: try FileSystemStorage(root: files + "/documents"),
    ])
    let database = try await Database.connect(address, storages: storages)
    try await database.migrate(migrations)

    // The upload is streamed and verified. Its size is known when it is complete.
    var photo = Photo(title: "Cat")
    photo.cover = try await database.store(.file(picture), named: "cat.jpg", for: \Photo.$cover)
    try await database.insert(&photo)

    // Loading rows does no I/O on a storage. The size comes from the columns, or from one probe.
    let cat = try await database.find(Photo.self, photo.id ?? 0)
    let size = try await cat?.cover?.dimensions()
    let url = try await cat?.cover?.url()
    print("\(size?.width ?? 0) × \(size?.height ?? 0) at \(url ?? "no address")")

    // SQL is the query language. Interpolated values are bound parameters, never part of the text.
    let pattern = "c%"
    let cats = try await database.all(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id LIMIT \(20)")
    print("\(cats.count) found")

    photo.cover = nil
    try await database.update(photo)
    await database.close()
}
// README: end
