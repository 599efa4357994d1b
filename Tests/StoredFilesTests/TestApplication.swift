import Foundation
import NIOCore
import Platform
import StoredFiles
import StoredFilesTesting

extension StorageID {
    static let pictures: Self = "pictures"
    static let papers: Self = "papers"
}

/// The model that most tests use, written by the macro.
@Model("albums")
struct Album: Equatable {
    var id: Int64?
    var title: String
    @StoredFile(in: .papers, path: "papers", maxBytes: 1 << 20)
    var paper: StorageFile? = nil
    @StoredImage(in: .pictures, path: "covers", width: "cover_width", height: "cover_height")
    var cover: StorageImage? = nil
}

/// The same table, the model written by hand.
struct HandWrittenAlbum: FieldModel {
    static let table = "albums"
    static let paperField = StoredField<HandWrittenAlbum>.file(\.$paper, in: .papers, column: "paper", path: "papers")
    static let coverField = StoredField<HandWrittenAlbum>.image(
        \.$cover,
        in: .pictures,
        column: "cover",
        width: "cover_width",
        height: "cover_height",
        path: "covers"
    )
    static let storedFields = [paperField, coverField]
    static let columns =
        [ModelColumn("id", \HandWrittenAlbum.id), ModelColumn("title", \HandWrittenAlbum.title)]
        + paperField.modelColumns(of: \HandWrittenAlbum.paper) + coverField.modelColumns(of: \HandWrittenAlbum.cover)

    var id: Int64?
    var title: String
    @StoredFile(in: .papers) var paper: StorageFile? = nil
    @StoredImage(in: .pictures) var cover: StorageImage? = nil

    init(title: String) {
        self.title = title
    }

    init(row: inout RowDecoder) throws {
        id = try row.next()
        title = try row.next()
        paper = try row.storedFile(Self.paperField)
        cover = try row.storedImage(Self.coverField)
    }

    func encode(into row: inout RowEncoder) throws {
        try row.encode(id)
        try row.encode(title)
        try row.encode(paper, for: Self.paperField)
        try row.encode(cover, for: Self.coverField)
    }
}

let albumMigrations = [
    Migration("create albums") { schema in
        try await schema.create(table: "albums") { table in
            table.identity()
            table.column("title", .text)
            table.storedFile("paper", in: .papers)
            table.storedImage("cover", in: .pictures, width: "cover_width", height: "cover_height")
        }
    }
]

/// A fresh database with the table, and two counting storages in memory.
struct TestApplication: Sendable {
    let database: Database
    let url: String
    let pictures = FaultyStorage(MemoryStorage(name: "pictures"))
    let papers = FaultyStorage(MemoryStorage(name: "papers"))

    @discardableResult
    static func run<Result>(
        poolSize: Int = 4,
        lifecycle: LifecycleConfiguration = LifecycleConfiguration(),
        _ body: (TestApplication) async throws -> Result
    ) async throws -> Result {
        try await TemporaryPostgres.testPermits.withPermit {
            let app = try await TestApplication(poolSize: poolSize, lifecycle: lifecycle)
            do {
                let result = try await body(app)
                await app.database.close()
                return result
            } catch {
                await app.database.close()
                throw error
            }
        }
    }

    private init(poolSize: Int, lifecycle: LifecycleConfiguration) async throws {
        url = try await TemporaryPostgres.shared().makeDatabase()
        var configuration = DatabaseConfiguration()
        configuration.poolSize = poolSize
        let storages = StorageRegistry([.pictures: pictures, .papers: papers])
        database = try await Database.connect(
            url,
            storages: storages,
            lifecycle: lifecycle,
            configuration: configuration
        )
        try await database.migrate(albumMigrations)
        // New storages are marked as the database's.
        pictures.reset()
        papers.reset()
    }

    /// A row that another program wrote: a name and nothing else.
    func insertByHand(_ picture: ByteBuffer, named name: String) async throws -> Int64 {
        let stored = try await pictures.upload(.buffer(picture), to: StorageName(validating: name), options: .init())
        let rows = try await database.query(
            "INSERT INTO albums (title, cover) VALUES ('by hand', \(stored.name.string)) RETURNING id"
        )
        guard let row = rows.first else { throw FixtureMissing(name: "the inserted row") }
        return try row.decode(Int64.self, named: "id")
    }

    /// Returns the values of the two size columns.
    func sizeColumns(of id: Int64) async throws -> [Int32?] {
        let rows = try await database.query("SELECT cover_width, cover_height FROM albums WHERE id = \(id)")
        guard let row = rows.first else { throw FixtureMissing(name: "row \(id)") }
        return [
            try row.decode(Int32?.self, named: "cover_width"), try row.decode(Int32?.self, named: "cover_height"),
        ]
    }
}

struct FixtureMissing: Error {
    let name: String
}

/// Reads a file of the folder Fixtures.
func fixture(_ name: String) throws -> ByteBuffer {
    let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/\(name)")
        .standardized
    return ByteBuffer(bytes: try Data(contentsOf: url))
}
