import NIOCore
import Testing

@testable import StoragesS3

@Suite("Reading XML")
struct XMLReaderTests {
    private func read(_ text: String) throws(XMLError) -> XMLElement {
        try XMLReader.read(ByteBuffer(string: text))
    }

    @Test("The XML reader takes elements, attributes, comments, instructions, CDATA and references")
    func grammar() throws {
        let root = try read(
            "\u{FEFF} \r\n\t<?xml version='1.0' encoding=\"UTF-8\"?><!-- <a> --><?other x?>\n"
                + "<s:Root xmlns:s=\"urn:x\" a = '>\"' b='&nothing;'>\n  <s:Key >a&amp;b&lt;&gt;&quot;&apos;&#xD;&#10;&#x1F600;</s:Key>\n"
                + "  <Key><![CDATA[<&amp;]]]]><![CDATA[>]]><!-- cut -->z<?pi?>é</Key><Empty/><Also></Also> text that is layout\n</s:Root>\n<!-- end -->\n"
        )
        #expect(root.name == "Root")
        #expect(root.text.isEmpty)
        #expect(root.children.map(\.name) == ["Key", "Key", "Empty", "Also"])
        #expect(root.bytes("Key") == Array("a&b<>\"'\r\n😀".utf8))
        #expect(root.all("Key").last?.text == Array("<&amp;]]>zé".utf8))
        #expect(root.bytes("Empty") == [])
        #expect(root.string("Empty") == nil)
        #expect(root.first("Missing") == nil)
    }

    @Test("The XML reader keeps white space and control characters of text")
    func keys() throws {
        let root = try read("<R><Key> a\tb\u{1}\r\n </Key><Flag>\n true </Flag><Size> 12\n</Size></R>")
        #expect(root.bytes("Key") == Array(" a\tb\u{1}\r\n ".utf8))
        #expect(root.bool("Flag") == true)
        #expect(root.integer("Size") == 12)
    }

    @Test("The XML reader skips any amount of white space before the document")
    func keepAlive() throws {
        let root = try read(String(repeating: " \n", count: 100_000) + "<?xml version=\"1.0\"?><R/>")
        #expect(root == XMLElement(name: "R"))
    }

    @Test(
        "The XML reader refuses malformed and unsupported documents with the reason",
        arguments: [
            ("", .truncated), ("   \n", .truncated), ("<", .truncated), ("<R", .truncated), ("<R>", .truncated),
            ("<R><a></a>", .truncated), ("<R>&am", .truncated), ("<R a='", .truncated), ("<R a", .truncated),
            ("<R><!-", .truncated), ("<R><!-- x", .truncated), ("<R><![CDATA[x]]", .truncated), ("<?xml", .truncated),
            ("<!-- x -->", .truncated), ("<R></R", .truncated),
            ("no xml", .malformed), ("{\"a\":1}", .malformed), ("<R></S>", .malformed), ("<a:R></b:R>", .malformed),
            ("<R/><S/>", .malformed), ("<R/>x", .malformed), ("</R>", .malformed), ("<R><a></R></a>", .malformed),
            ("<R a=b/>", .malformed), ("<R a='<'/>", .malformed), ("<R a='1'b='2'/>", .malformed),
            ("<R / >", .malformed),
            ("<1R/>", .malformed), ("<:R/>", .malformed), ("<a:/>", .malformed), ("< R/>", .malformed),
            ("<R>\0</R>", .malformed), ("<![CDATA[x]]>", .malformed), ("<R><!ELEMENT a></R>", .malformed),
            ("<!DOCTYPE html><html/>", .documentType), ("<R><!DOCTYPE x></R>", .documentType),
            ("<!DOCTYPE x [<!ENTITY a \"b\">]><R>&a;</R>", .documentType),
            ("<R>&nbsp;</R>", .unknownEntity), ("<R>&;</R>", .unknownEntity), ("<R>&#;</R>", .unknownEntity),
            ("<R>&#0;</R>", .unknownEntity), ("<R>&#xD800;</R>", .unknownEntity), ("<R>&#x110000;</R>", .unknownEntity),
            ("<R>&#+65;</R>", .unknownEntity), ("<R>&#x-1;</R>", .unknownEntity),
            ("<R>&#99999999999;</R>", .unknownEntity),
            ("<R>a & b and much more text</R>", .unknownEntity),
            ("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><R/>", .notUTF8),
        ] as [(String, XMLError.Kind)]
    )
    func refusals(text: String, kind: XMLError.Kind) {
        let error = #expect(throws: XMLError.self) { try XMLReader.read(ByteBuffer(string: text)) }
        #expect(error?.kind == kind)
    }

    @Test("The XML reader refuses UTF-16 and bytes that are not UTF-8")
    func encodings() {
        for bytes: [UInt8] in [
            Array("<R>".utf8) + [0xFF] + Array("</R>".utf8), Array("<R>".utf8) + [0xC0, 0xAF] + Array("</R>".utf8),
            [0xFF, 0xFE, 0x3C, 0x00], [0xFE, 0xFF, 0x00, 0x3C],
        ] {
            let error = #expect(throws: XMLError.self) { try XMLReader.read(ByteBuffer(bytes: bytes)) }
            #expect(error?.kind == .notUTF8)
        }
    }

    @Test("The XML reader takes 32 levels of elements and no more")
    func depth() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "<a>", count: levels) + String(repeating: "</a>", count: levels)
        }
        _ = try read(nested(32))
        let error = #expect(throws: XMLError.self) { try read(nested(33)) }
        #expect(error?.kind == .tooDeep)
        #expect(error?.offset == 32 * 3)
        // Of a million levels, only the first 32 are looked at.
        #expect(throws: XMLError(.tooDeep, at: 32 * 3)) { try read(String(repeating: "<a>", count: 1_000_000)) }
    }

    @Test("The XML reader stops at the limits of bytes and elements")
    func limits() throws {
        let many = ByteBuffer(string: "<R>" + String(repeating: "<a/>", count: 100) + "</R>")
        _ = try XMLReader.read(many, limits: .init(bytes: many.readableBytes, elements: 101))
        #expect(throws: XMLError(.tooLarge, at: 3 + 99 * 4)) { try XMLReader.read(many, limits: .init(elements: 100)) }
        let short = many.readableBytes - 1
        #expect(throws: XMLError(.tooLarge, at: short)) { try XMLReader.read(many, limits: .init(bytes: short)) }
    }

    @Test(
        "The XML reader ends with an error on megabytes of garbage",
        arguments: ["x", "<", "<a ", "<!--", "<a>&", "&", "<a b='", "\u{0}", "<?", "<![CDATA[", "]]>", "<a/>", "é"]
    )
    func garbage(unit: String) {
        // Two of them are read to their end, which takes seconds without optimisation.
        let size = ["x", "<!--"].contains(unit) ? 10_000_000 : 500_000
        let text = String(repeating: unit, count: size / unit.utf8.count)
        #expect(throws: XMLError.self) { try read(text) }
        #expect(throws: XMLError.self) { try read("<R>" + text) }
        _ = XMLReader.salvage(ByteBuffer(string: "<R>" + text))
    }

    @Test("The XML reader salvages what is whole of a document that is cut")
    func salvage() {
        let text = "<Error><Code>SlowDown</Code><Message>Please é</Message></Error>"
        let whole = XMLReader.salvage(ByteBuffer(string: text))
        #expect(whole?.string("Message") == "Please é")
        for length in 0..<text.utf8.count {
            let root = XMLReader.salvage(ByteBuffer(bytes: text.utf8.prefix(length)))
            // The root exists with its start tag, the code with its end tag.
            #expect((root != nil) == (length >= 7))
            #expect(root?.string("Code") == (length >= "<Error><Code>SlowDown</Code>".utf8.count ? "SlowDown" : nil))
        }
    }

    @Test("The XML reader turns random damage into a document or a typed error", arguments: 0..<8)
    func mutations(seed: UInt64) {
        let original = Array(
            ("<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult xmlns=\"u\"><IsTruncated>false</IsTruncated>"
                + "<Contents><Key>a&amp;b&#xD;é</Key><Size>3</Size><ETag>&quot;x&quot;</ETag><![CDATA[q]]></Contents>"
                + "<!-- c --><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListBucketResult>").utf8
        )
        var random = SplitMix64(state: seed)
        let alphabet = Array("<>/!?&;#x-[]'\"= aR:\u{0}".utf8) + [0xFF, 0xC3, 0xEF, 0xBB]
        var accepted = 0
        for _ in 0..<1000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[index] = alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
                case 1: bytes.remove(at: index)
                case 2: bytes.insert(alphabet[Int.random(in: 0..<alphabet.count, using: &random)], at: index)
                case 3: bytes.removeSubrange(index...)
                default:
                    bytes.insert(
                        contentsOf: bytes[index...].prefix(20),
                        at: Int.random(in: 0...bytes.count, using: &random)
                    )
                }
            }
            let buffer = ByteBuffer(bytes: bytes)
            do {
                let root = try XMLReader.read(buffer)
                accepted += 1
                #expect(XMLReader.salvage(buffer) == root)
            } catch {
                #expect(error.offset <= bytes.count)
            }
            _ = try? ListObjectsPage(buffer)
            _ = S3ErrorDocument(buffer)
        }
        #expect(accepted > 0 && accepted < 1000)
    }
}

/// A generator whose numbers are the same in every run (Steele, Lea and Flood, 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
