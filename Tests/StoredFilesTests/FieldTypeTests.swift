import NIOCore
import StoredFiles
import StoredFilesTesting
import Testing

@Model("sheets")
private struct Sheet: Equatable {
    var id: Int64?
    @StoredFile(in: .papers, maxBytes: 64, types: [.pdf, .csv]) var document: StorageFile? = nil
    @StoredImage(in: .papers, rules: ImageRules(maxSize: PixelSize(width: 20, height: 20)))
    var icon: StorageImage? = nil
}

@Suite("Content types of files in fields")
struct FieldTypeTests {
    @Test(
        "A declared content type is accepted where the bytes allow it",
        arguments: [
            ("%PDF-1.7 <script>", "text/html", "application/pdf", "attachment"),
            ("%PDF-1.7", "application/pdf", "application/pdf", nil), ("a,b", "text/csv", "text/csv", nil),
            ("a,b", "text/html", "text/plain", "attachment"), ("a,b", "image/svg+xml", "text/plain", "attachment"),
            ("<!DOCTYPE html>", "text/plain", "text/plain", "attachment"),
        ] as [(String, ContentType, ContentType, String?)]
    )
    func aDeclaredTypeIsBelievedWhereTheBytesAllowIt(
        text: String,
        declared: ContentType,
        expected: ContentType,
        disposition: String?
    ) async throws {
        try await TestApplication.run { app in
            let file = try await app.database.store(
                .string(text),
                named: "a",
                for: \Album.$paper,
                contentType: declared
            )
            let info = try await file.info()
            #expect(info.contentType == expected)
            #expect(info.contentDisposition == disposition)
        }
    }

    @Test("An image that is declared as HTML is stored as an image")
    func aPictureDeclaredToBeAPageStaysAPicture() async throws {
        try await TestApplication.run { app in
            let image = try await app.database.store(
                .buffer(fixture("32x16.png")),
                named: "a.png",
                for: \Album.$cover,
                contentType: .html
            )
            #expect(try await image.info().contentType == .png)
            #expect(try await image.info().contentDisposition == "attachment")
        }
    }

    @Test("The types that a field allows also apply to a declared content type")
    func theRulesHoldForTheDeclaredTypeToo() async throws {
        try await TestApplication.run { app in
            try await app.database.execute("CREATE TABLE sheets (id bigint, document text, icon text)")
            let stored = try await app.database.store(.string("%PDF-1.7"), named: "a", for: \Sheet.$document)
            #expect(try await stored.info().contentType == .pdf)
            await #expect {
                _ = try await app.database.store(
                    .string("a,b"),
                    named: "a.csv",
                    for: \Sheet.$document,
                    contentType: .json
                )
            } throws: {
                ($0 as? StorageError)?.code == .wrongType
            }
            #expect(app.papers.count(of: .upload) == 1)
        }
    }

    @Test(
        "A copy that violates the rules of its field is refused before anything is written",
        arguments: [true, false]
    )
    func aCopyIsRefusedByTheRulesOfItsFieldBeforeAnythingIsWritten(isWithinOneStorage: Bool) async throws {
        try await TestApplication.run { app in
            try await app.database.execute("CREATE TABLE sheets (id bigint, document text, icon text)")
            let other = FaultyStorage(MemoryStorage(name: "elsewhere"))
            let storage = isWithinOneStorage ? app.papers : other
            func source(_ bytes: ByteBuffer, _ name: String, _ type: ContentType?) async throws -> StorageFile {
                let options = UploadOptions(contentType: type)
                let name = try StorageName(validating: name)
                return StorageFile(
                    name: try await storage.upload(.buffer(bytes), to: name, options: options).name,
                    in: storage
                )
            }
            let page = try await source(ByteBuffer(string: "<!DOCTYPE html>"), "page.pdf", .pdf)
            let long = try await source(
                ByteBuffer(string: "%PDF-" + String(repeating: "x", count: 100)),
                "long.pdf",
                .pdf
            )
            let wide = try await source(fixture("32x16.png"), "wide.png", .png)
            let text = try await source(ByteBuffer(string: "text"), "text.png", .png)
            let valid = try await source(ByteBuffer(string: "%PDF-1.7"), "valid.pdf", .html)
            app.papers.reset()
            for (file, code) in [(page, StorageError.Code.wrongType), (long, .tooLarge)] {
                await #expect {
                    _ = try await app.database.copy(file, for: \Sheet.$document)
                } throws: {
                    ($0 as? StorageError)?.code == code
                }
            }
            await #expect(throws: ImageError.self) {
                _ = try await app.database.copy(StorageImage(file: text), for: \Sheet.$icon)
            }
            if isWithinOneStorage {
                await #expect(throws: ImageError.self) {
                    _ = try await app.database.copy(StorageImage(file: wide), for: \Sheet.$icon)
                }
            }
            #expect(app.papers.count(of: .copy) + app.papers.count(of: .upload) == 0)
            let copy = try #require(try await app.database.copy(valid, for: \Sheet.$document))
            let info = try await copy.info()
            #expect(info.contentType == .pdf)
            #expect(info.contentDisposition == "attachment")
        }
    }
}
