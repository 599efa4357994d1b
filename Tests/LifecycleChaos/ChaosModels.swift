import StoredFiles

extension StorageID {
    static let papers: Self = "papers"
    static let pictures: Self = "pictures"
}

@Model("notes")
struct Note {
    var id: Int64?
    var label: String? = nil
    @StoredFile(in: .papers, path: "notes")
    var file: StorageFile? = nil
}

/// Two columns of one storage, and an image.
@Model("pairs")
struct Pair {
    var id: Int64?
    var label: String? = nil
    @StoredFile(in: .papers, path: "pairs")
    var front: StorageFile? = nil
    @StoredFile(in: .papers, path: "pairs")
    var back: StorageFile? = nil
    @StoredImage(in: .pictures, path: "covers", width: "cover_width", height: "cover_height")
    var cover: StorageImage? = nil
}

@Model("folders")
struct Folder {
    var id: Int64?
    var label: String? = nil
}

/// Goes with its folder.
@Model("letters")
struct Letter {
    var id: Int64?
    var folder: Int64? = nil
    @StoredFile(in: .papers, path: "letters")
    var file: StorageFile? = nil
}

/// In a partitioned table, whose names are not unique.
@Model("parts")
struct Part {
    var id: Int64?
    var bucket: Int32 = 0
    @StoredFile(in: .papers, path: "parts")
    var file: StorageFile? = nil
}

/// In the table that loses its column, or is dropped, and comes back.
@Model("extras")
struct Extra {
    var id: Int64?
    var label: String? = nil
    @StoredFile(in: .papers, path: "extras")
    var file: StorageFile? = nil
}

/// In one of two tables that change their names with each other.
@Model("hither")
struct Hither {
    var id: Int64?
    @StoredFile(in: .papers, path: "hither")
    var file: StorageFile? = nil
}

@Model("thither")
struct Thither {
    var id: Int64?
    @StoredFile(in: .papers, path: "thither")
    var file: StorageFile? = nil
}

/// A row with a file, whichever table it is in.
protocol Holder: FieldModel where Field == StoredField<Self>, ID == Int64 {
    static var field: any KeyPath<Self, StoredFieldValue<StorageFile>> & Sendable { get }
    static var column: String { get }
    var file: StorageFile? { get set }

    init(_ dice: Dice)
}

extension Note: Holder {
    static var field: any KeyPath<Note, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {
        label = "\(dice.next())"
    }
}

extension Pair: Holder {
    static var field: any KeyPath<Pair, StoredFieldValue<StorageFile>> & Sendable { \.$front }
    static var column: String { "front" }
    var file: StorageFile? {
        get { front }
        set { front = newValue }
    }

    init(_ dice: Dice) {
        label = "\(dice.next())"
    }
}

extension Letter: Holder {
    static var field: any KeyPath<Letter, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {}
}

extension Part: Holder {
    static var field: any KeyPath<Part, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {
        bucket = Int32(dice.int(0...2))
    }
}

extension Extra: Holder {
    static var field: any KeyPath<Extra, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {
        label = "\(dice.next())"
    }
}

extension Hither: Holder {
    static var field: any KeyPath<Hither, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {}
}

extension Thither: Holder {
    static var field: any KeyPath<Thither, StoredFieldValue<StorageFile>> & Sendable { \.$file }
    static var column: String { "file" }

    init(_ dice: Dice) {}
}

let holders: [any Holder.Type] = [
    Note.self, Pair.self, Letter.self, Part.self, Extra.self, Hither.self, Thither.self,
]

/// A column of the storage papers, for statements that the library does not write.
struct Place: Sendable, Equatable {
    var table: String
    var column: String

    /// Returns a name that the place may have in the middle of an upheaval.
    func disguised(_ dice: Dice) -> Place {
        switch dice.int(0...3) {
        case 0: Place(table: table + "_away", column: column)
        case 1: Place(table: table, column: column + "_away")
        default: self
        }
    }

    static let all = [
        Place(table: "notes", column: "file"), Place(table: "pairs", column: "front"),
        Place(table: "pairs", column: "back"), Place(table: "letters", column: "file"),
        Place(table: "parts", column: "file"), Place(table: "extras", column: "file"),
        Place(table: "hither", column: "file"), Place(table: "thither", column: "file"),
    ]
}

let chaosMigrations = [
    Migration("tables") { schema in
        for table in ["notes", "extras"] {
            try await schema.create(table: table) { table in
                table.identity()
                table.column("label", .text, optional: true)
                table.storedFile("file", in: .papers)
            }
        }
        try await schema.create(table: "pairs") { table in
            table.identity()
            table.column("label", .text, optional: true)
            table.storedFile("front", in: .papers)
            table.storedFile("back", in: .papers)
            table.storedImage("cover", in: .pictures, width: "cover_width", height: "cover_height")
        }
        try await schema.create(table: "folders") { table in
            table.identity()
            table.column("label", .text, optional: true)
        }
        try await schema.create(table: "letters") { table in
            table.identity()
            table.reference("folder", to: "folders", optional: true, onDelete: .cascade)
            table.storedFile("file", in: .papers)
        }
        for table in ["hither", "thither"] {
            try await schema.create(table: table) { table in
                table.identity()
                table.storedFile("file", in: .papers)
            }
        }
        try await schema.execute("CREATE SEQUENCE part_ids")
        try await schema.execute(
            """
            CREATE TABLE parts (id bigint NOT NULL DEFAULT nextval('part_ids'), \
            bucket integer NOT NULL DEFAULT floor(random() * 3), file text, PRIMARY KEY (id, bucket)) \
            PARTITION BY LIST (bucket)
            """
        )
        for bucket in 0..<3 {
            try await schema.execute(
                "CREATE TABLE \(raw: "parts_\(bucket)") PARTITION OF parts FOR VALUES IN (\(raw: "\(bucket)"))"
            )
        }
        try await schema.track("file", of: "parts", in: .papers)
    }
]
