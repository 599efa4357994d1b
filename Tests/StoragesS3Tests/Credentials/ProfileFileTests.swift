import Storages
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Profile files")
struct ProfileFileTests {
    func config(_ text: String) throws -> ProfileFile {
        try ProfileFile(parsing: text, as: .config, at: "/c")
    }

    @Test("A config file has profiles and services, and other sections are left out")
    func headings() throws {
        let file = try config(
            """
            [default]
            region = a
            [profile one]
            region=b
            [ profile\t"two words" ] # why not
            region = c
            [services x]
            s3 =
              endpoint_url = http://x
            [sso-session y]
            sso_region = d
            nested =
              deep = e
            [three]
            region = f
            [profile empty]
            """
        )
        #expect(file.profiles.keys.sorted() == ["default", "empty", "one", "two words"])
        #expect(file.profiles["default"]?.values == ["region": "a"])
        #expect(file.profiles["one"]?.values == ["region": "b"])
        #expect(file.profiles["two words"]?.values == ["region": "c"])
        #expect(file.services["x"]?.blocks == ["s3": ["endpoint_url": "http://x"]])
    }

    @Test("The headings of a credentials file are profile names as a whole")
    func credentials() throws {
        let file = try ProfileFile(parsing: "[profile a]\nregion = x\n[b]\nregion = y", as: .credentials, at: "/c")
        #expect(file.profiles.keys.sorted() == ["b", "profile a"])
    }

    struct Value: Sendable, CustomTestStringConvertible {
        var line: String
        var expected: String
        init(_ line: String, _ expected: String) {
            self.line = line
            self.expected = expected
        }
        var testDescription: String { line }
    }

    @Test(
        "A value in a profile file ends at the end of its line or at a comment after a blank",
        arguments: [
            Value("key = value", "value"),
            Value("key=value", "value"),
            Value("KEY\t=\tvalue\t", "value"),
            Value("key = a#b;c", "a#b;c"),
            Value("key = a # b", "a"),
            Value("key = a ;b", "a"),
            Value("key = a\t# b", "a"),
            Value("key = # b", ""),
            Value("key =", ""),
            Value("key = a = b", "a = b"),
            Value("key = a\r", "a"),
            Value("key = a\n# comment\nkey = b", "b"),
            Value("key = a\n  b  \n\n\tc # d", "a\nb\nc"),
            Value("key = wJalr/K7+MDENG=", "wJalr/K7+MDENG="),
        ]
    )
    func values(_ value: Value) throws {
        #expect(try config("[default]\n" + value.line).profiles["default"]?.values["key"] == value.expected)
    }

    @Test("A profile file has nested keys and repeated sections, of which later values win")
    func blocks() throws {
        let file = try config(
            """
            [default]
            S3 =
              Addressing_Style = path
              ; comment
              payload_signing_enabled = true # yes
              addressing_style = virtual
            region = a
            [profile x]
            [default]
            region = b
            output = json
            """
        )
        let section = try #require(file.profiles["default"])
        #expect(section.blocks["s3"] == ["addressing_style": "virtual", "payload_signing_enabled": "true"])
        #expect(section.values["region"] == "b")
        #expect(section.values["output"] == "json")
    }

    @Test("Keys of a profile file may be indented, with continuation lines indented further")
    func indentedKeys() throws {
        let file = try config(
            """
            [default]
              region = a
              output = json
              s3 =
                addressing_style = path
              note = b
                c
            endpoint_url = d
            [sso-session y]
                sso_region = e
              other = f
              [profile x]
            \tregion = g
            """
        )
        let section = try #require(file.profiles["default"])
        #expect(
            section.values == [
                "region": "a", "output": "json", "s3": "", "note": "b\nc", "endpoint_url": "d",
            ]
        )
        #expect(section.blocks == ["s3": ["addressing_style": "path"]])
        #expect(file.profiles["x"]?.values == ["region": "g"])
    }

    @Test("A profile file may have a byte order mark or CR LF line ends, or be empty")
    func encodings() throws {
        let file = try config("\u{FEFF}[default]\r\nregion = a\r\n\r\ns3 =\r\n  addressing_style = path\r\n")
        #expect(file.profiles["default"]?.values["region"] == "a")
        #expect(file.profiles["default"]?.blocks["s3"] == ["addressing_style": "path"])
        #expect(try config("").profiles.isEmpty)
        #expect(try config("# only this\n ; and this").profiles.isEmpty)
    }

    struct Mistake: Sendable, CustomTestStringConvertible {
        var text: String
        var line: Int
        init(_ text: String, line: Int) {
            self.text = text
            self.line = line
        }
        var testDescription: String { text }
    }

    @Test(
        "A mistake in a profile file is reported by its line number, and the line is not shown",
        arguments: [
            Mistake("[default\nhush = a", line: 1),
            Mistake("[]", line: 1),
            Mistake("[default] hush", line: 1),
            Mistake("hush = a", line: 1),
            Mistake("[default]\n\nhush", line: 3),
            Mistake("[default]\n= hush", line: 2),
            Mistake("  hush = a", line: 1),
            Mistake("[default]\n  hush", line: 2),
            Mistake("[default]\ns3 =\n  hush", line: 3),
        ]
    )
    func mistakes(_ mistake: Mistake) async throws {
        let error = try #require(await storageError { try config(mistake.text) })
        #expect(error.code == .invalidConfiguration)
        #expect(error.message.hasPrefix("Line \(mistake.line) of \"/c\""))
        #expect(!error.description.contains("hush"))
    }
}
