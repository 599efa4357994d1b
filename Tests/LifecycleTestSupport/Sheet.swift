package import StoredFiles

extension StorageID {
    package static let sheets: Self = "sheets"
}

/// The model whose rows and files a worker makes, replaces and deletes until it is killed.
@Model("sheets")
package struct Sheet: Sendable {
    package var id: Int64?
    /// The recipe of the file's bytes: see ``SheetContents``.
    package var recipe: String
    @StoredFile(in: .sheets, path: "sheets/1 + 1 = 50%25/Ярлыки 語")
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

/// Original names of files: characters that keys, URLs and signatures are made wrong with, and every kind of script.
package let sheetOriginals = [
    "sheet.bin", "a b+c%20d.bin", "100%.bin", "Ярлыки №5 (копия).bin", "日本語 テスト.bin", "צילום מסך.bin", "صورة.bin",
    "हिन्दी.bin", "ไทย.bin", "e\u{301}te\u{301} à la plage.bin", "🐈+🐕.bin", "[x]{y}~'z'&q=1;#2.bin", "한국어.bin",
]
