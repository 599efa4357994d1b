import StoredFiles

/// A row of `peer_ins`: what `@Model` would write, by hand.
struct PeerInsert: FieldModel {
    static let table = "peer_ins"
    static let columns =
        [ModelColumn("id", \PeerInsert.id), ModelColumn("title", \PeerInsert.title)]
        + fileField.modelColumns(of: \PeerInsert.file)
    static let fileField = StoredField<PeerInsert>.file(\.$file, in: .documents, column: "file")
    static let storedFields = [fileField]

    var id: Int64?
    var title: String
    @StoredFile(in: .documents) var file: StorageFile? = nil

    init(title: String) {
        self.title = title
    }

    init(row: inout RowDecoder) throws {
        id = try row.next()
        title = try row.next()
        file = try row.storedFile(Self.fileField)
    }

    func encode(into row: inout RowEncoder) throws {
        try row.encode(id)
        try row.encode(title)
        try row.encode(file, for: Self.fileField)
    }
}
