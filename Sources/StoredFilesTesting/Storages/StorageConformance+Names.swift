import NIOCore
import Storages

extension StorageConformance {
    static let nameChecks: [Check] = [
        Check("takes every kind of character that a valid name may have") { subject in
            let names = [
                "my file (1).txt", "a+b.txt", "100%.txt", "%2e%2e.txt", "a?b#c&d=e.txt", "semi;colon,comma.txt",
                "quote'\"`.txt", "star*.txt", "<angle>.txt", "日本語.txt", "é.txt", "🐈.png", ".hidden", "~tilde",
                "-rf", "$HOME", "{braces}[brackets]", "trailing dot.", " leading space", "@at!", "CON.txt",
            ]
            for (index, text) in names.enumerated() {
                let file = try await subject.upload("kinds/\(text)", ByteBuffer(integer: UInt32(index)))
                try subject.expect(file.name, equals: try subject.name("kinds/\(text)"), "the name")
            }
            let listed = Set(try await subject.names(prefix: "kinds/"))
            for (index, text) in names.enumerated() {
                let name = try subject.name("kinds/\(text)")
                try subject.expect(listed.contains(name), "\(name) is not listed")
                try await subject.expectContents(name, ByteBuffer(integer: UInt32(index)))
            }
            try subject.expect(listed.count, equals: names.count, "the number of files listed")
        },
        Check("takes a segment of 255 bytes and deep directories") { subject in
            let long = String(repeating: "é", count: 125) + ".text"
            try subject.expect(long.utf8.count, equals: 255, "the length of the segment")
            for path in [long, "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/\(long)"] {
                let file = try await subject.upload(path, ByteBuffer(string: path))
                try await subject.expectContents(file.name, ByteBuffer(string: path))
            }
        },
        Check("keeps names apart that look the same") { subject in
            let composed = StorageName(unchecked: "\(subject.directory)/\u{E9}.txt")
            let decomposed = StorageName(unchecked: "\(subject.directory)/e\u{301}.txt")
            _ = try await subject.storage.upload(.string("composed"), to: composed)
            _ = try await subject.storage.upload(.string("decomposed"), to: decomposed, options: subject.careful)
            try await subject.expectContents(composed, ByteBuffer(string: "composed"))
            try await subject.expectContents(decomposed, ByteBuffer(string: "decomposed"))
            let listed = try await subject.names()
            try subject.expect(Set(listed), equals: Set([composed, decomposed]), "the names listed")
            try await subject.storage.delete(composed)
            try await subject.expectContents(decomposed, ByteBuffer(string: "decomposed"))
        },
        Check("keeps names apart that differ by case") { subject in
            _ = try await subject.upload("Case.txt", ByteBuffer(string: "upper"), subject.careful)
            _ = try await subject.upload("case.txt", ByteBuffer(string: "lower"), subject.careful)
            try await subject.expectContents(try subject.name("Case.txt"), ByteBuffer(string: "upper"))
            try await subject.expectContents(try subject.name("case.txt"), ByteBuffer(string: "lower"))
        },
        Check("refuses hostile names in every operation, however they were made") { subject in
            let storage = subject.storage
            let good = try await subject.upload("good.txt", ByteBuffer(string: "good")).name
            for text in hostileNames {
                let name = StorageName(unchecked: text)
                let what = "with the name \(text.debugDescription.prefix(60))"
                try await subject.expectError(.invalidName, doing: "an upload \(what)") {
                    try await storage.upload(.string("evil"), to: name)
                }
                try await subject.expectError(.invalidName, doing: "an opening \(what)") {
                    try await storage.open(name)
                }
                try await subject.expectError(.invalidName, doing: "a look-up \(what)") {
                    try await storage.info(for: name)
                }
                try await subject.expectError(.invalidName, doing: "a URL \(what)") {
                    try await storage.url(for: name)
                }
                try await subject.expectError(.invalidName, doing: "a copy to it \(what)") {
                    try await storage.copy(good, to: name)
                }
                let failures = try await storage.delete([name])
                try subject.expect(
                    failures.map(\.error.code),
                    equals: [.invalidName],
                    "the outcome of a deletion \(what)"
                )
            }
        },
        Check("says in errors which of the names given it was about") { subject in
            let storage = subject.storage
            let missing = try subject.name("missing.txt")
            let file = try await subject.upload("taken.txt", ByteBuffer(string: "x")).name
            var errors: [(what: String, error: StorageError, name: StorageName)] = []
            func note(
                _ what: String,
                about name: StorageName,
                expecting code: StorageError.Code,
                _ work: () async throws -> Void
            ) async throws {
                errors.append((what, try await subject.expectError(code, doing: what, work), name))
            }
            try await note("opening a missing file", about: missing, expecting: .notFound) {
                _ = try await storage.open(missing)
            }
            try await note("looking a missing file up", about: missing, expecting: .notFound) {
                _ = try await storage.info(for: missing)
            }
            try await note("copying a missing file", about: missing, expecting: .notFound) {
                _ = try await storage.copy(missing, to: try subject.name("copy.txt"))
            }
            let careful = UploadOptions(ifExists: .fail)
            try await note("an upload to a taken name", about: file, expecting: subject.refusal) {
                _ = try await storage.upload(.string("y"), to: file, options: careful)
            }
            try await note("a range behind the end", about: file, expecting: .invalidRange) {
                _ = try await storage.open(file, range: .from(100)).collect(upTo: 100)
            }
            let bad = StorageName(unchecked: "a//b")
            try await note("abandoning uploads of a hostile name", about: bad, expecting: .invalidName) {
                try await storage.abandonUploads(of: [bad])
            }
            for failure in try await storage.delete([bad]) {
                try subject.expect(failure.name, equals: bad, "the name of a failed deletion")
                errors.append(("a deletion", failure.error, bad))
            }
            for (what, error, name) in errors {
                try subject.expect(error.name, equals: name.string, "the name in the error of \(what)")
            }
        },
        Check("gives up unfinished uploads of names, and leaves the files alone") { subject in
            let file = try await subject.upload("finished.txt", ByteBuffer(string: "x")).name
            try await subject.storage.abandonUploads(of: [])
            try await subject.storage.abandonUploads(of: [file, try subject.name("nobody.txt")])
            try await subject.expectContents(file, ByteBuffer(string: "x"))
        },
        Check("makes a valid name of an original one, and refuses hostile ones") { subject in
            let name = try subject.storage.name(for: "My Holiday (1).JPG")
            try subject.expect(!name.string.isEmpty && !name.string.contains(" "), "the name is \(name)")
            _ = try StorageName(validating: name.string)
            try await subject.expectError(.invalidName, doing: "naming an empty original") {
                try subject.storage.name(for: "")
            }
        },
    ]

    private static let hostileNames = [
        "", ".", "..", "../escape.txt", "a/../../escape.txt", "a/..", "/etc/passwd", "a//b", "a/", "./a", "a/./b",
        "nul\0byte", "..\\escape.txt", "line\nbreak", "\u{7F}", "\u{202E}gpj.exe", "bell\u{7}",
        String(repeating: "x", count: 256), String(repeating: "abcdefg/", count: 140) + "x",
    ]
}
