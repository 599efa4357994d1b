import StoredFiles
import StoredFilesTesting
import Testing

@Suite("Verification of models with files")
struct VerifyTests {
    @Model("albums")
    struct WithoutColumn {
        var id: Int64?
        var title: String
        var subtitle: String
        var pages: Int32?
    }

    @Model("albums")
    struct WithWrongType {
        var id: Int64?
        var title: Int64
    }

    @Model("albums")
    struct WithUnknownStorage {
        var id: Int64?
        var title: String
        @StoredFile(in: "attic") var paper: StorageFile? = nil
    }

    @Test("Verifying accepts models that match the table of the migration")
    func theModelOfTheMigrationFits() async throws {
        try await TestApplication.run { app in
            try await app.database.verify(Album.self)
            try await app.database.verify(HandWrittenAlbum.self)
        }
    }

    @Test func allMissingColumnsAreNamedInOneError() async throws {
        try await TestApplication.run { app in
            await #expect { try await app.database.verify(WithoutColumn.self) } throws: { error in
                let text = "\(error)"
                return error is DatabaseError && text.contains("subtitle") && text.contains("pages")
            }
        }
    }

    @Test("Verifying names a column of the wrong type")
    func aWrongTypeIsNamed() async throws {
        try await TestApplication.run { app in
            await #expect { try await app.database.verify(WithWrongType.self) } throws: { error in
                error is DatabaseError && "\(error)".contains("title")
            }
        }
    }

    @Test("Verifying and loading name an unknown storage")
    func anUnknownStorageIsNamedByVerifyAndByLoading() async throws {
        try await TestApplication.run { app in
            await #expect { try await app.database.verify(WithUnknownStorage.self) } throws: { error in
                "\(error)".contains("attic")
            }
            try await app.database.execute("INSERT INTO albums (title) VALUES ('x')")
            await #expect { try await app.database.all(WithUnknownStorage.self) } throws: { error in
                (error as? StorageError)?.code == .unknownStorage && "\(error)".contains("attic")
            }
        }
    }

    @Test("A query with a missing column fails with an error that names it")
    func aMissingColumnFailsTheQueryWithAnErrorThatNamesIt() async throws {
        try await TestApplication.run { app in
            await #expect { try await app.database.all(WithoutColumn.self) } throws: { error in
                error is DatabaseError && "\(error)".contains("subtitle")
            }
        }
    }
}
