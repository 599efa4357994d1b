// The main job in one file: declare, migrate, store a photo, read it back, ask for its size, replace, query, delete,
// and see the files go with their rows. Run it with `Scripts/quickstart`. It needs no server: without DATABASE_URL it
// starts a PostgreSQL of its own, and with `--s3` an S3 server.
import Foundation
import StoredFiles
import StoredFilesTesting

// 1. An application names its storages once.
extension StorageID {
    static let media: Self = "media"
    static let documents: Self = "documents"
}

// 2. A model is a struct that is one row. A file property is one column, an image property three.
@Model("quickstart_photos")
struct Photo {
    var id: Int64?
    var title: String
    @StoredFile(in: .documents, path: "releases")
    var release: StorageFile? = nil
    @StoredImage(in: .media, path: "covers", width: "cover_width", height: "cover_height")
    var cover: StorageImage? = nil
}

// 3. Migrations make the columns, a unique constraint, a CHECK and the triggers: they forget stale sizes, and note the
//    files that no row names any more, whoever writes.
let migrations = [
    Migration("2026-11-23 create quickstart_photos") { schema in
        try await schema.create(table: "quickstart_photos") { table in
            table.identity()
            table.column("title", .text)
            table.storedFile("release", in: .documents)
            table.storedImage("cover", in: .media, width: "cover_width", height: "cover_height")
        }
    } down: { schema in
        try await schema.drop(table: "quickstart_photos")
    }
]

@main
struct Quickstart {
    static func main() async throws {
        say("stored-files quickstart: file and image columns for PostgreSQL models\n")
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures")
            .standardized

        // 4. A storage is configured once, at start-up. Places.swift has both kinds; the decorators count.
        let places = try await Places.find()
        let storages = StorageRegistry([.media: places.media, .documents: places.documents])

        // 5. A database knows the storages, so that rows can resolve their files.
        let address = try await Address.find()
        let database = try await Database.connect(address.url, storages: storages)
        let narrator = Narrator(database: database, storages: ["media": places.media, "documents": places.documents])
        do {
            try await tour(database, narrator, fixtures)
            try await database.revert(migrations)
        } catch {
            await database.close()
            await address.release()
            await places.release()
            throw error
        }
        await database.close()
        await address.release()
        await places.release()
        say("\nDone. The whole program is Examples/Quickstart/Quickstart.swift.")
    }

    static func tour(_ database: Database, _ narrator: Narrator, _ fixtures: URL) async throws {
        try await narrator.step("migrate: create the table") {
            let applied = try await database.migrate(migrations)
            try await database.verify(Photo.self)
            return "applied \(applied.count) migration; the model fits the table"
        }

        var photo = Photo(title: "Cat")
        try await narrator.step("store: stream a photo into the storage, checked on its way") {
            photo.cover = try await database.store(
                .file(fixtures.appending(path: "cat.jpg").path),
                named: "My cat (1).jpg",
                for: \Photo.$cover
            )
            return "\(photo.cover?.name.description ?? "-"), \(photo.cover?.pixelSize.map(text) ?? "size unknown")"
        }
        try await narrator.step("insert: the row names the file") {
            try await database.insert(&photo)
            return "id \(photo.id ?? 0)"
        }
        let id = photo.id ?? 0

        try await narrator.step("find: reading a row asks no storage for anything") {
            let found = try await database.find(Photo.self, id)
            return "\"\(found?.title ?? "")\" with \(found?.cover?.name.lastComponent ?? "no cover")"
        }
        try await narrator.step("dimensions(): the size comes from the columns") {
            let size = try await database.find(Photo.self, id)?.cover?.dimensions()
            return size.map(text) ?? "-"
        }
        try await narrator.step("url(): a signed address that expires") {
            try await photo.cover?.url() ?? "-"
        }

        // Another program may write rows too: it knows the name and nothing of the size.
        try await narrator.step("psql writes: UPDATE … SET cover = a new name (the trigger forgets the old size)") {
            let copy = try await photo.cover?.file.copy(to: StorageName(sanitizing: "covers/by-hand/cat.jpg"))
            try await database.execute(
                "UPDATE quickstart_photos SET cover = \(copy?.name.string) WHERE id = \(id)"
            )
            let found = try await database.find(Photo.self, id)
            return "size in the columns: \(found?.cover?.pixelSize.map(text) ?? "unknown")"
        }
        try await narrator.step("dimensions(): one probe of the file, then one UPDATE of the columns") {
            let size = try await database.find(Photo.self, id)?.cover?.dimensions()
            return size.map(text) ?? "-"
        }
        try await narrator.step("dimensions() again: neither") {
            let size = try await database.find(Photo.self, id)?.cover?.dimensions()
            return size.map(text) ?? "-"
        }

        try await narrator.step("replace: store another, update the row") {
            photo.cover = try await database.store(
                .file(fixtures.appending(path: "portrait-exif6.jpg").path),
                named: "portrait.jpg",
                for: \Photo.$cover
            )
            try await database.update(photo)
            return "\(photo.cover?.pixelSize.map(text) ?? "-") as shown: the camera was held upright"
        }
        try await narrator.step("a transaction that fails takes its upload with it") {
            do {
                try await database.transaction { transaction in
                    var draft = Photo(title: "Never")
                    draft.release = try await transaction.store(
                        .string("I agree."),
                        named: "release.txt",
                        for: \Photo.$release
                    )
                    try await transaction.insert(&draft)
                    throw Change.ofMind
                }
            } catch Change.ofMind {}
            let left = try await database.count(Photo.self, "WHERE title = \("Never")")
            return "rows: \(left); the uploaded file was deleted again"
        }
        try await narrator.step("a file that is no image is refused before a row can name it") {
            do {
                _ = try await database.store(.string("<svg/>"), named: "cat.png", for: \Photo.$cover)
                return "accepted?"
            } catch let error as ImageError {
                return error.description
            }
        }
        try await narrator.step("query: SQL, in which every \\(value) is bound") {
            let pattern = "c%"
            let cats = try await database.all(Photo.self, "WHERE title ILIKE \(pattern) ORDER BY id LIMIT \(20)")
            return cats.map { "\($0.id ?? 0) \"\($0.title)\" \($0.cover?.pixelSize.map(text) ?? "")" }
                .joined(separator: ", ")
        }
        try await narrator.step("psql deletes: the triggers condemn the file in the same transaction") {
            let count = try await database.execute("DELETE FROM quickstart_photos WHERE id = \(id)")
            return "\(count) row; files waiting for their end: \(try await condemned(database))"
        }
        try await narrator.step("reap: delete what no row names (a Reaper service does it after an hour)") {
            let report = try await database.reap(ReaperConfiguration(retention: .zero))
            return "\(report.deleted) files deleted; still waiting: \(try await condemned(database))"
        }
        try await narrator.step("fsck: compare the storage with the rows") {
            var findings: [String] = []
            try await database.fsck(.media, FsckConfiguration(minimumAge: .zero)) { findings.append("\($0)") }
            return findings.isEmpty ? "they agree: nothing is left behind" : findings.joined(separator: "; ")
        }
    }

    static func condemned(_ database: Database) async throws -> Int64 {
        // Names that rows have just let go of, and those that a reaper has moved into the journal.
        let rows = try await database.query(
            """
            SELECT (SELECT count(*) FROM stored_files.journal WHERE state = 'condemned') \
            + (SELECT coalesce(sum(cardinality(names)), 0)::bigint FROM stored_files.let_go)
            """
        )
        return try rows.first?.decode(Int64.self, at: 0) ?? 0
    }

    static func text(_ size: PixelSize) -> String {
        "\(size.width) × \(size.height)"
    }
}

enum Change: Error {
    case ofMind
}
