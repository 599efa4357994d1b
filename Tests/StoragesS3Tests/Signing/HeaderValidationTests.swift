import Storages
import Testing

@testable import StoragesS3

@Suite("Fields that may be sent")
struct HeaderValidationTests {
    private func refusal(_ name: String, _ value: String) -> StorageError? {
        #expect(throws: StorageError.self) { try HeaderValidation.check([name: value]) }
    }

    @Test("have no control character in their values", arguments: Array(0..<0x20) + [0x7F] as [UInt8])
    func controls(byte: UInt8) {
        let text = String(Unicode.Scalar(byte))
        for value in [text, "SECRET" + text, text + "SECRET", "SEC" + text + "RET"] {
            let error = refusal("x-amz-meta-a", value)
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("x-amz-meta-a") == true)
            #expect(error?.message.contains("SEC") == false)
        }
    }

    @Test("have tokens for names", arguments: ["", " ", "a b", "a:", "é", "a\r\nb", "a\0", "(a)", "a/b", "a\"", "a@b"])
    func names(name: String) {
        #expect(refusal(name, "v")?.code == .invalidConfiguration)
    }

    @Test("are trimmed, and left out and named when empty, but for those of metadata")
    func trimming() throws {
        let result = try HeaderValidation.check([
            "A": "  x  y ", "X-Amz-Meta-b": "  ", "c": "   ", "d!#$%&'*+-.^_`|~9": "é",
        ])
        #expect(result.headers.fields.map(\.name) == ["A", "X-Amz-Meta-b", "d!#$%&'*+-.^_`|~9"])
        #expect(result.headers.fields.map(\.value) == ["x  y", "", "é"])
        #expect(result.omitted == ["c"])
    }

    @Test("of metadata are in lower case, with the prefix once, sorted")
    func metadata() throws {
        let result = try UserMetadata.headers(["Name": "n", "x-amz-meta-B": "b ", "A": "a", "empty": ""])
        let expected: HTTPHeaders = [
            "x-amz-meta-a": "a", "x-amz-meta-b": "b", "x-amz-meta-empty": "", "x-amz-meta-name": "n",
        ]
        #expect(result.headers == expected)
        #expect(result.omitted.isEmpty)
    }

    @Test(
        "of metadata are refused when they cannot be kept",
        arguments: [
            ["a": "é"], ["é": "a"], ["": "a"], ["x-amz-meta-": "a"], ["a": "1", "A": "2"], ["a": "x\r\nX-Evil: 1"],
            ["a b": "c"],
        ]
    )
    func badMetadata(metadata: [String: String]) {
        for nonASCII in [UserMetadata.NonASCII.refused, .percentEncoded]
        where !(nonASCII == .percentEncoded && metadata == ["a": "é"]) {
            let error = #expect(throws: StorageError.self) { try UserMetadata.headers(metadata, nonASCII: nonASCII) }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("of metadata are percent-encoded when asked for, so that they can be decoded")
    func encodedMetadata() throws {
        let value = "50% ü 😀"
        let made = try UserMetadata.headers(["a": value], nonASCII: .percentEncoded).headers["x-amz-meta-a"]
        #expect(made == "50%25 %C3%BC %F0%9F%98%80")
        #expect(PercentEncoding.decode(try #require(made).utf8) == value)
    }

    @Test("of metadata have 2 KiB at most, names and values together")
    func metadataSize() throws {
        let fits = ["ab": String(repeating: "x", count: 1000), "cd": String(repeating: "y", count: 1044)]
        #expect(try UserMetadata.headers(fits).headers.fields.count == 2)
        let exceeds = fits.merging(["cd": String(repeating: "y", count: 1045)]) { $1 }
        let error = #expect(throws: StorageError.self) { try UserMetadata.headers(exceeds) }
        #expect(error?.code == .tooLarge)
    }

    @Test(
        "of a disposition are ASCII, whatever the name",
        arguments: [
            (nil, "attachment"), ("", "attachment"), ("a b.txt", #"attachment; filename="a b.txt""#),
            ("naïve.txt", #"attachment; filename="na_ve.txt"; filename*=UTF-8''na%C3%AFve.txt"#),
            ("日.txt", #"attachment; filename="_.txt"; filename*=UTF-8''%E6%97%A5.txt"#),
            (#"a"b.txt"#, #"attachment; filename="a_b.txt"; filename*=UTF-8''a%22b.txt"#),
            ("50%.txt", #"attachment; filename="50_.txt"; filename*=UTF-8''50%25.txt"#),
            ("../a\\b\r\nX: 1", #"attachment; filename=".._a_b__X: 1""#),
            ("a;b'(c)", #"attachment; filename="a;b'(c)""#),
            ("é;*", "attachment; filename=\"_;*\"; filename*=UTF-8''%C3%A9%3B%2A"),
        ] as [(String?, String)]
    )
    func dispositions(filename: String?, expected: String) throws {
        let value = ContentDisposition.value(.attachment, filename: filename)
        #expect(value == expected)
        #expect(value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        #expect(ContentDisposition.value(.inline, filename: filename).hasPrefix("inline"))
    }
}
