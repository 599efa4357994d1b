import StoredFilesTesting
import Testing

@testable import Storages

@Suite("Original names of clients")
struct OriginalNameTests {
    @Test(
        "An original name loses its path and its marks of text direction",
        arguments: [
            ("cat.jpg", "cat.jpg"), ("My Cat (1).jpg", "My_Cat_1.jpg"),
            // What browsers send as the value of a file input, and old ones in forms.
            (#"C:\fakepath\cat.jpg"#, "cat.jpg"), (#"C:\Users\bob\cat.jpg"#, "cat.jpg"),
            (#"c:/Users/bob/cat.jpg"#, "cat.jpg"),
            (#"\\server\share\cat.jpg"#, "cat.jpg"), ("/tmp/phpX.jpg", "phpX.jpg"), ("a/b/cat.jpg", "cat.jpg"),
            ("./cat.jpg", "cat.jpg"), ("photos/", "photos"), ("a//cat.jpg", "cat.jpg"),
            // Windows' screenshots in Hebrew, and WhatsApp's files.
            ("\u{200F}\u{200F}צילום מסך.png", "צילום_מסך.png"), ("\u{200E}WhatsApp Image.jpeg", "WhatsApp_Image.jpeg"),
            ("\u{61C}صورة.png", "صورة.png"), ("\u{202A}+49 30 1234\u{202C}.vcf", "+49_30_1234.vcf"),
            ("\u{2068}a\u{2069}.txt", "a.txt"),
        ]
    )
    func kindly(original: String, expected: String) throws {
        let name = try StorageName(original: original)
        #expect(name.string == expected)
        #expect(try StorageName(validating: name.string) == name)
        let unique = try StorageName.unique(path: "covers", original: original)
        #expect(unique.lastComponent == expected)
    }

    @Test(
        "An original name keeps the directories of a program, and loses those of a client",
        arguments: [
            ("covers/My Cat.jpg", "covers/My_Cat.jpg"), ("covers/🐈.jpg", "covers/file.jpg"),
            ("\u{200E}covers/\u{200F}cat.jpg", "covers/cat.jpg"), ("./cat.jpg", "cat.jpg"), ("a//b/", "a/b"),
            (#"C:\fakepath\cat.jpg"#, "cat.jpg"), ("/tmp/phpX.jpg", "phpX.jpg"), ("c:/Users/cat.jpg", "cat.jpg"),
            (#"covers\cat.jpg"#, "cat.jpg"), ("cat.jpg", "cat.jpg"),
        ]
    )
    func paths(original: String, expected: String) throws {
        #expect(try MemoryStorage().name(for: original).string == expected)
    }

    @Test(
        "An original name of only symbols becomes file, with the extension of the name or the type",
        arguments: [
            ("🐈", ContentType.jpeg, "file.jpg"), ("🐈", nil, "file"), ("???", .pdf, "file.pdf"),
            ("🐈.gif", .gif, "file.gif"), ("🐈.gif", .png, "file.gif"), ("???.tar.gz", nil, "file.tar.gz"),
            ("   ", .pdf, "file.pdf"), ("\u{200F}", .pdf, "file.pdf"), ("...jpg", .jpeg, "file.jpg"),
            (#"C:\🐈"#, .jpeg, "file.jpg"), ("🐈.🐈", .jpeg, "file.jpg"),
        ]
    )
    func symbols(original: String, type: ContentType?, expected: String) throws {
        #expect(try StorageName(original: original, contentType: type).string == expected)
    }

    @Test(
        "An original name that is reduced to ASCII keeps its extension",
        arguments: [("日本語.png", "file.png"), ("résumé.pdf", "resume.pdf")]
    )
    func ascii(original: String, expected: String) throws {
        #expect(try StorageName(original: original, policy: .ascii).string == expected)
    }

    @Test(
        "An original name that no client's own file has is refused",
        arguments: [
            "../a.txt", #"a\..\b"#, "..", "a\0.txt", "a\n.txt", "", ".", "...", "/", "///", "a/...",
            "invoice\u{202E}gpj.exe", "a\u{202D}b.txt",
        ]
    )
    func hostile(original: String) {
        for make in [{ try StorageName(original: $0) }, { try MemoryStorage().name(for: $0) }] {
            let error = #expect(throws: StorageError.self) { try make(original) }
            #expect(error?.code == .invalidName)
        }
    }

    @Test("A plain original name is the same by itself and in a folder")
    func plain() throws {
        var originals = [""]
        for _ in 0..<5 { originals += originals.flatMap { start in "aZ9-_.".map { start + String($0) } } }
        for original in Set(originals) where original.first?.isLetter == true || original.first?.isNumber == true {
            let name = try StorageName(original: original)
            #expect(try StorageName(originalPath: original, policy: .unicode) == name, "\(original)")
            let inFolder = try StorageName(originalPath: "covers/" + original, policy: .unicode)
            #expect(inFolder.string == "covers/" + name.string, "\(original)")
        }
    }

    @Test(
        "A name that is too long for a column is cut at the end of its stem",
        arguments: [
            ("a/b/photograph.jpeg", StorageName.Room.scalars(14), "a/b/photo.jpeg"),
            ("a/b/photograph.jpeg", .scalars(19), "a/b/photograph.jpeg"),
            ("a/b/日本語日本語.png", .scalars(10), "a/b/日本.png"),
            ("a/b/日本語日本語.png", .bytes(14), "a/b/日本.png"), ("a/b/x.verylongextension", .scalars(10), "a/b/x.very"),
            ("a/b/photo", .scalars(5), "a/b/p"), ("a/b/c.d.e.txt", .scalars(10), "a/b/c.txt"),
        ]
    )
    func cut(name: String, room: StorageName.Room, expected: String) throws {
        let cut = try StorageName(validating: name).cut(toFit: room)
        #expect(cut?.string == expected)
        #expect(cut?.fits(into: room) == true)
    }

    @Test("A name cannot be cut if its folder takes all the room of the column")
    func noRoom() throws {
        #expect(try StorageName(validating: "folder/a.txt").cut(toFit: .scalars(7)) == nil)
    }
}
