package import StoredFiles

extension StorageID {
    package static let sheets: Self = "sheets"
}

/// The model whose rows and files a worker makes, replaces and deletes until it is killed.
@Model("sheets")
package struct Sheet: Sendable {
    package var id: Int64?
    /// What the file's bytes are made of: see ``SheetContents``.
    package var recipe: String
    @StoredFile(in: .sheets, path: "sheets")
    package var file: StorageFile? = nil

    package init(recipe: String) {
        self.recipe = recipe
    }
}

package let sheetMigrations = [
    Migration("sheets") { schema in
        try await schema.create(table: "sheets") { table in
            table.identity()
            table.column("recipe", .text)
            table.storedFile("file", in: .sheets)
        }
    }
]
