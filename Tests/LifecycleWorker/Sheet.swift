public import StoredFiles

extension StorageID {
    public static let sheets: Self = "sheets"
}

/// The model whose rows and files a worker makes, replaces and deletes until it is killed.
@Model("sheets")
public struct Sheet: Sendable {
    public var id: Int64?
    /// What the file's bytes are made of: see ``SheetContents``.
    public var recipe: String
    @StoredFile(in: .sheets, path: "sheets")
    public var file: StorageFile? = nil
}

public let sheetMigrations = [
    Migration("sheets") { schema in
        try await schema.create(table: "sheets") { table in
            table.identity()
            table.column("recipe", .text)
            table.storedFile("file", in: .sheets)
        }
    }
]
