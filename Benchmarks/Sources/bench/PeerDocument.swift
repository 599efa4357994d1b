import Foundation
import StoredFiles

extension StorageID {
    static let documents: Self = "documents"
    static let media: Self = "media"
}

/// A row of `peer_docs`, which `peers/fixtures.py` fills: what `@Model` would write, by hand.
struct PeerDocument: FieldModel {
    static let table = "peer_docs"
    static let columns =
        [ModelColumn("id", \PeerDocument.id), ModelColumn("title", \PeerDocument.title)]
        + fileField.modelColumns(of: \PeerDocument.file) + imageField.modelColumns(of: \PeerDocument.image)
        + [ModelColumn("created_at", \PeerDocument.createdAt)]
    static let fileField = StoredField<PeerDocument>.file(\.$file, in: .documents, column: "file")
    static let imageField = StoredField<PeerDocument>.image(
        \.$image,
        in: .media,
        column: "image",
        width: "image_width",
        height: "image_height"
    )
    static let storedFields = [fileField, imageField]

    var id: Int64?
    var title: String
    @StoredFile(in: .documents) var file: StorageFile? = nil
    @StoredImage(in: .media, width: "image_width", height: "image_height") var image: StorageImage? = nil
    var createdAt: Date

    init(row: inout RowDecoder) throws {
        id = try row.next()
        title = try row.next()
        file = try row.storedFile(Self.fileField)
        image = try row.storedImage(Self.imageField)
        createdAt = try row.next()
    }

    func encode(into row: inout RowEncoder) throws {
        try row.encode(id)
        try row.encode(title)
        try row.encode(file, for: Self.fileField)
        try row.encode(image, for: Self.imageField)
        try row.encode(createdAt)
    }

    /// The peers' database; the names in its rows are never opened, so any storage will do.
    static func connect(_ settings: Settings) async throws -> Database {
        let storage = try FileSystemStorage(root: settings.environment("PEERS_MEDIA"))
        return try await Database.connect(
            settings.conninfo(),
            storages: StorageRegistry([
                .documents: try PrefixedStorage(prefix: "documents", of: storage),
                .media: try PrefixedStorage(prefix: "media", of: storage),
            ]),
            configuration: DatabaseConfiguration(poolSize: settings.concurrency)
        )
    }
}
