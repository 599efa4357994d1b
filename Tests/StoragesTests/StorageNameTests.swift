import StoredFilesTesting
import Testing

@testable import Storages

@Suite struct StorageNameTests {
    @Test(
        "A name is sanitized to safe Unicode",
        arguments: [
            ("photo.jpg", "photo.jpg"),
            ("My Résumé (final).pdf", "My_Résumé_final.pdf"),
            ("re\u{301}sume\u{301}.pdf", "résumé.pdf"),
            ("日本語/日本語.png", "日本語/日本語.png"),
            ("a\\b\\c.txt", "a/b/c.txt"),
            ("a//b/./c.txt", "a/b/c.txt"),
            ("./a/b/", "a/b"),
            ("  lead  and\u{A0}trail  .txt  ", "lead_and_trail_.txt"),
            ("tab\u{2003}em\u{2028}line.txt", "tab_em_line.txt"),
            (".htaccess", "htaccess"),
            ("...dots...", "dots"),
            ("a. . .", "a"),
            ("a+b-c_d.tar.gz", "a+b-c_d.tar.gz"),
            ("semi;colon:star*.txt", "semicolonstar.txt"),
            ("???.png", "_.png"),
            (".???.png", "_.png"),
            ("???/a.txt", "a.txt"),
            ("con", "_con"), ("CON.txt", "_CON.txt"), ("dir/NUL.tar.gz", "dir/_NUL.tar.gz"), ("aux/x", "_aux/x"),
            ("COM1", "_COM1"), ("lpt9.log", "_lpt9.log"), ("COM¹.txt", "_COM¹.txt"), ("COM0", "COM0"),
            ("CONSOLE", "CONSOLE"), ("COM10", "COM10"), ("null", "null"), ("prn.", "_prn"), (" nul ", "_nul"),
            ("🐈cat🐈.gif", "cat.gif"), ("٣٤.txt", "٣٤.txt"), ("x²Ⅷ.txt", "x²Ⅷ.txt"),
            ("a\u{200D}b\u{FEFF}c.txt", "abc.txt"),
            ("C:stream.txt", "Cstream.txt"),
            ("q\u{308}uer.txt", "q\u{308}uer.txt"),
            // Dropping the joiner brings letter and mark together, which must compose.
            ("e\u{200D}\u{301}.txt", "\u{E9}.txt"),
        ]
    )
    func sanitisesUnicode(original: String, expected: String) throws {
        let name = try StorageName(sanitizing: original)
        #expect(Array(name.string.utf8) == Array(expected.utf8), "\(name.string) instead of \(expected)")
        #expect(try StorageName(validating: name.string) == name)
        #expect(try StorageName(sanitizing: name.string) == name, "sanitising again changed the name")
    }

    @Test(
        "A hostile name is refused, and the error shows no control character",
        arguments: [
            ("../etc/passwd", NameViolation.parentReference), ("a/../b", .parentReference),
            ("a\\..\\b", .parentReference),
            ("a/..", .parentReference), ("..", .parentReference), ("/etc/passwd", .absolute),
            ("\\\\server\\x", .absolute),
            ("C:\\Users\\x.jpg", .absolute), ("c:/x.jpg", .absolute), ("a\0.txt", .null), ("é\0.txt", .null),
            ("a\n.txt", .control(0x0A)), ("a\u{1B}[31m", .control(0x1B)), ("a\u{7F}", .control(0x7F)),
            ("a\u{85}b", .control(0x85)), ("a\u{9F}b", .control(0x9F)),
            ("invoice\u{202E}gpj.exe", .textDirection(0x202E)), ("\u{2066}a", .textDirection(0x2066)),
            ("a\u{200F}", .textDirection(0x200F)), ("\u{61C}a", .textDirection(0x61C)),
            ("", .empty), ("...", .nothingLeft), (".", .nothingLeft), ("./.", .nothingLeft), ("???", .nothingLeft),
            ("   ", .nothingLeft), ("🐈", .nothingLeft), ("dir/???", .nothingLeft), ("???..", .nothingLeft),
        ]
    )
    func refusesHostileNames(original: String, violation: NameViolation) throws {
        let error = #expect(throws: StorageError.self) { try StorageName(sanitizing: original) }
        #expect(error?.code == .invalidName)
        #expect(error?.message == violation.error(for: original).message)
        let hasControl = error?.description.unicodeScalars.contains { $0.isForbiddenInNames } ?? true
        #expect(!hasControl, "the message repeats a control character")
    }

    /// Made with `werkzeug.utils.secure_filename` 3.1.9 for each part of `pathlib.PurePosixPath`.
    @Test(
        "A name is sanitized to ASCII as Werkzeug does",
        arguments: [
            ("My cool movie.mov", "My_cool_movie.mov"),
            ("../../../etc/passwd", "etc/passwd"),
            ("i contain cool \u{FC}ml\u{E4}uts.txt", "i_contain_cool_umlauts.txt"),
            ("résumé.pdf", "resume.pdf"),
            ("a\\..\\b.txt", "a..b.txt"),
            ("CON.txt", "CON.txt"),
            ("a ( ) b.txt", "a___b.txt"),
            ("  x\t y \n.txt", "x_y_.txt"),
            ("__a__.__", "a"),
            ("ﬁle①.txt", "file1.txt"),
            ("日本語.png", "png"),
            ("a\u{2100}b.txt", "aa_cb.txt"),
            ("/etc/./a+b", "etc/ab"),
            ("x\0y", "xy"),
            ("½.txt", "12.txt"),
        ]
    )
    func sanitisesToASCIIAsWerkzeug(original: String, expected: String) throws {
        #expect(try StorageName(sanitizing: original, policy: .ascii).string == expected)
    }

    @Test("A name of which no ASCII is left is refused", arguments: ["", "日本語", "...", "../..", "__", "???"])
    func findsNothingLeftForASCII(original: String) {
        #expect(throws: StorageError.self) { try StorageName(sanitizing: original, policy: .ascii) }
    }

    @Test(
        "A name with a lone surrogate is refused",
        arguments: [
            [0x61, 0xED, 0xA0, 0x80, 0x62], [0x61, 0xED, 0xBF, 0xBF], [0x61, 0xED, 0xA0, 0xBD, 0xED, 0xB0, 0x88],
        ] as [[UInt8]]
    )
    func refusesLoneSurrogates(bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) { try StorageName(sanitizing: bytes) }
        #expect(error?.code == .invalidName)
        #expect(error?.message.contains("surrogate") == true)
    }

    @Test(
        "A name that is not valid UTF-8 is refused",
        arguments: [
            [0xFF], [0x61, 0xC0, 0xAF], [0xC3], [0x61, 0xE2, 0x82], [0xF4, 0x90, 0x80, 0x80], [0x80], [0xC0, 0x80],
            [0x2E, 0xC0, 0xAE, 0x2F],
        ] as [[UInt8]]
    )
    func refusesInvalidUTF8(bytes: [UInt8]) {
        let error = #expect(throws: StorageError.self) { try StorageName(sanitizing: bytes) }
        #expect(error?.message.contains("not valid UTF-8") == true)
    }

    @Test("A name is made from valid UTF-8 bytes")
    func takesValidBytes() throws {
        #expect(try StorageName(sanitizing: Array("é x.png".utf8)).string == "é_x.png")
    }

    @Test("A long name is cut between scalars and keeps its extension")
    func cutsLongNamesBetweenScalarsAndKeepsTheExtension() throws {
        let four = try StorageName(sanitizing: String(repeating: "a", count: 4096) + ".jpeg")
        #expect(four.string == String(repeating: "a", count: 250) + ".jpeg")
        let accents = try StorageName(sanitizing: String(repeating: "é", count: 2048) + ".tar.gz")
        #expect(accents.string == String(repeating: "é", count: 124) + ".tar.gz")
        let cats = try StorageName(sanitizing: String(repeating: "語", count: 1400))
        #expect(cats.string.utf8.count == 255)
        let noExtension = try StorageName(sanitizing: "a." + String(repeating: "b", count: 4096))
        #expect(noExtension.string.utf8.count == 255)
    }

    @Test("A long path is cut and keeps its last component")
    func cutsLongPathsAndKeepsTheFile() throws {
        let deep = try StorageName(sanitizing: String(repeating: "directory/", count: 400) + "file.txt")
        #expect(deep.string.utf8.count <= 1024 && deep.string.utf8.count > 1000)
        #expect(deep.lastComponent == "file.txt")
        _ = try StorageName(validating: deep.string)
    }

    @Test(
        "Validating refuses each kind of invalid name",
        arguments: [
            ("", NameViolation.empty), ("/a", .absolute), ("a/", .emptySegment), ("a//b", .emptySegment),
            ("a/./b", .currentReference), ("a/../b", .parentReference), ("..", .parentReference), ("a\\b", .backslash),
            ("a\0", .null), ("a\u{1}", .control(1)), ("é\u{202E}", .textDirection(0x202E)),
            ("e\u{301}", .notNormalized),
            (String(repeating: "x", count: 256), .segmentTooLong),
            (String(repeating: "xy/", count: 400) + "x", .tooLong),
        ]
    )
    func validatesStrictly(text: String, violation: NameViolation) {
        let error = #expect(throws: StorageError.self) { try StorageName(validating: text) }
        #expect(error?.message == violation.error(for: text).message)
    }

    @Test("Validating leaves a valid name unchanged")
    func takesValidNamesAsTheyAre() throws {
        for text in ["a", "a b (1).txt", ".hidden", "é/日本語", String(repeating: "x", count: 255), "..a", "a.."] {
            #expect(try StorageName(validating: text).string == text)
        }
    }

    @Test("Names are compared by their bytes")
    func comparesByBytes() throws {
        let composed = StorageName(unchecked: "\u{E9}")
        let decomposed = StorageName(unchecked: "e\u{301}")
        #expect(composed.string == decomposed.string, "Swift strings are equal, which is why names must not be strings")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect(decomposed < composed)
        #expect(StorageName(unchecked: "a-b") < StorageName(unchecked: "a/b"))
        #expect(StorageName(unchecked: "Z") < StorageName(unchecked: "a"))
        // U+FF5E sorts before U+1F408 in UTF-8, and after it in UTF-16.
        #expect(StorageName(unchecked: "\u{FF5E}") < StorageName(unchecked: "\u{1F408}"))
    }

    @Test("A name is split into directory, last component and extension")
    func splitsIntoComponents() throws {
        let name = try StorageName(validating: "a/b/photo.tar.GZ")
        #expect(name.lastComponent == "photo.tar.GZ")
        #expect(name.directory == "a/b")
        #expect(name.fileExtension == "GZ")
        #expect(try StorageName(validating: "a.b/plain").fileExtension == nil)
        #expect(try StorageName(validating: ".hidden").fileExtension == nil)
        #expect(try StorageName(validating: "end.").fileExtension == nil)
        #expect(try StorageName(validating: "x").directory == nil)
        #expect(try name.appending(StorageName(validating: "c/d")).string == "a/b/photo.tar.GZ/c/d")
        let long = try StorageName(validating: String(repeating: "xyz/", count: 255) + "x")
        #expect(throws: StorageError.self) { try long.appending(name) }
    }

    @Test("Time-ordered ids sort by time and are unique")
    func makesIDsThatSortByTimeAndDiffer() {
        let early = StorageName.timeOrderedID(milliseconds: 1_000_000)
        let late = StorageName.timeOrderedID(milliseconds: 1_000_001)
        #expect(early < late)
        let ids = Set((0..<10_000).map { _ in StorageName.timeOrderedID() })
        #expect(ids.count == 10_000)
        let alphabet = Set("0123456789abcdefghjkmnpqrstvwxyz")
        #expect(ids.allSatisfy { $0.utf8.count == 26 && alphabet.isSuperset(of: $0) })
    }

    @Test("Time-ordered ids encode the time as ULIDs do")
    func encodesTimeAsULIDsDo() {
        // The example of the ULID specification: 1469918176385 ms is 01ARYZ6S41.
        #expect(StorageName.timeOrderedID(milliseconds: 1_469_918_176_385).hasPrefix("01aryz6s41"))
    }

    @Test("A unique name has a path, an id and the sanitized original name")
    func makesUniqueNames() throws {
        let name = try StorageName.unique(path: "covers/2026", original: "My Cat.jpg")
        let parts = name.string.split(separator: "/")
        #expect(parts.count == 4)
        #expect(name.string.hasPrefix("covers/2026/"))
        #expect(parts[2].utf8.count == 26)
        #expect(parts[3] == "My_Cat.jpg")
        #expect(try StorageName.unique(path: "", original: "dir/x.txt").string.split(separator: "/").count == 2)
        #expect(throws: StorageError.self) { try StorageName.unique(path: "../x", original: "a.txt") }
        #expect(throws: StorageError.self) { try StorageName.unique(path: "x", original: "../a.txt") }
    }

    @Test("A random suffix is added to a name within the length limits")
    func addsRandomSuffixesWithinTheLimits() throws {
        let name = try StorageName(validating: "a/photo.jpg").withRandomSuffix()
        #expect(name.string.hasPrefix("a/photo-") && name.string.hasSuffix(".jpg"))
        #expect(name.string.utf8.count == "a/photo.jpg".utf8.count + 21)
        #expect(try StorageName(validating: "x.tar.gz").withRandomSuffix().string.hasSuffix(".tar.gz"))
        #expect(try StorageName(validating: "plain").withRandomSuffix().string.utf8.count == 26)
        let long = try StorageName(validating: String(repeating: "é", count: 125) + ".text").withRandomSuffix()
        #expect(long.string.utf8.count <= 255 && long.string.hasSuffix(".text"))
        let deep = String(repeating: String(repeating: "d", count: 254) + "/", count: 3)
        let file = "/yyyyy.t"
        let full = try StorageName(validating: deep + String(repeating: "x", count: 220) + file).withRandomSuffix()
        #expect(full.string.utf8.count <= 1024 && full.string.hasSuffix(".t"))
        _ = try StorageName(validating: full.string)
        #expect(full.directory == deep + String(repeating: "x", count: 220))
    }

    @Test("A name with a random suffix stays in its directory, or is refused")
    func neverLeavesTheDirectoryForARandomSuffix() throws {
        for length in 950...1022 {
            let directories = String(repeating: String(repeating: "d", count: 200) + "/", count: 6)
            let directory = String(directories.prefix(length - 1)) + "d"
            let name = try StorageName(validating: directory + "/x")
            if length <= 1024 - 1 - 21 {
                let renamed = try name.withRandomSuffix()
                #expect(renamed.directory == directory && renamed != name)
                _ = try StorageName(validating: renamed.string)
            } else {
                let error = #expect(throws: StorageError.self) { try name.withRandomSuffix() }
                #expect(error?.code == .invalidName)
            }
        }
    }

    @Test(
        "A cut name does not end with a dot",
        arguments: [
            (String(repeating: "a", count: 254) + "." + String(repeating: "b", count: 300), StorageNamePolicy.unicode),
            (String(repeating: "a", count: 250) + "....." + String(repeating: "b", count: 300), .unicode),
            (String(repeating: "a", count: 254) + "_" + String(repeating: "b", count: 300), .ascii),
            (String(repeating: "é", count: 127) + ".x" + String(repeating: "b", count: 300), .unicode),
        ]
    )
    func leavesNoDotWhereItCuts(original: String, policy: StorageNamePolicy) throws {
        let name = try StorageName(sanitizing: original, policy: policy)
        #expect(name.string.utf8.last != UInt8(ascii: "."))
        #expect(name.string.utf8.count <= 255)
        #expect(try StorageName(sanitizing: name.string, policy: policy) == name)
    }

    @Test("A path is split at a slash that a combining mark follows")
    func cutsAtSlashesThatAMarkFollows() throws {
        let segment = String(repeating: "x", count: 200)
        let name = try StorageName(sanitizing: segment + "/\u{301}" + segment)
        #expect(name.string.utf8.elementsEqual((segment + "/\u{301}" + segment).utf8))
        #expect(Array("a/\u{301}b".pathSegments.map { Array($0.utf8) }) == [Array("a".utf8), Array("\u{301}b".utf8)])
        #expect("x\u{0D4E}/".withoutTrailingSlash.utf8.elementsEqual("x\u{0D4E}".utf8))
    }

    @Test("Sanitizing a long name again does not change it")
    func sanitisesLongNamesOnceAndForAll() throws {
        var generator = SystemRandomNumberGenerator()
        let parts = ["a", "é", "日", ".", "..", "_", "-", " ", "/", "q\u{308}", "🐈", ".tar.gz", "\u{301}"]
        for _ in 0..<1500 {
            var text = ""
            let length = Int.random(in: 200..<1300, using: &generator)
            let part = parts.randomElement(using: &generator) ?? "a"
            while text.utf8.count < length {
                text += Bool.random(using: &generator) ? part : parts.randomElement(using: &generator) ?? "a"
            }
            for policy in [StorageNamePolicy.unicode, .ascii] {
                guard let name = try? StorageName(sanitizing: text, policy: policy) else { continue }
                #expect(StorageName.violation(in: name.string) == nil, "\(text.debugDescription)")
                #expect(try StorageName(sanitizing: name.string, policy: policy) == name, "\(text.debugDescription)")
            }
        }
    }

    @Test("Sanitizing random text gives a valid and stable name")
    func sanitisesWhateverComesWithoutBreakingItsInvariants() throws {
        var generator = SystemRandomNumberGenerator()
        let interesting: [Unicode.Scalar] = [
            ".", "/", "\\", " ", "a", "Z", "0", "_", "-", "+", "\0", "\n", "\u{7F}", "\u{85}", "é", "e", "\u{301}",
            "\u{200D}", "\u{202E}", "日", "🐈", "\u{FE0F}", "ﬁ", ":", "*", "²", "\u{1100}", "\u{1161}", "C", "O", "N",
        ]
        for _ in 0..<3000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0..<24, using: &generator) {
                if let scalar = interesting.randomElement(using: &generator) { text.append(scalar) }
            }
            for policy in [StorageNamePolicy.unicode, .ascii] {
                guard let name = try? StorageName(sanitizing: String(text), policy: policy) else { continue }
                #expect(StorageName.violation(in: name.string) == nil, "\(String(text).debugDescription)")
                #expect(try StorageName(sanitizing: name.string, policy: policy) == name)
            }
        }
    }
}
