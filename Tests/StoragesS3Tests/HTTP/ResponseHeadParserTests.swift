import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Response heads")
struct ResponseHeadParserTests {
    /// Feeds lines and returns what the last one meant.
    private func parse(_ lines: [String], _ parser: inout ResponseHeadParser) -> ResponseHeadParser.Outcome {
        var outcome = ResponseHeadParser.Outcome.more
        for line in lines {
            outcome = Array((line + "\r\n").utf8).withUnsafeBytes { parser.take($0) }
        }
        return outcome
    }

    @Test("A response head has a status and headers in their order with trimmed values")
    func fields() {
        var parser = ResponseHeadParser()
        let lines = [
            "HTTP/1.1 404 Not Found", "ETag:\"a\"", "X-Blanks: \t two  words \t", "x-empty:", "Via: one", "via: two",
        ]
        #expect(parse(lines, &parser) == .more)
        #expect(!parser.isComplete)
        #expect(parse([""], &parser) == .complete)
        #expect(parser.isComplete)
        #expect(parser.status == 404)
        #expect(parser.headers.fields.map(\.name) == ["ETag", "X-Blanks", "x-empty", "Via", "via"])
        #expect(parser.headers.fields.map(\.value) == ["\"a\"", "two  words", "", "one", "two"])
        #expect(parser.headers["etag"] == "\"a\"")
    }

    @Test("Interim responses before a response head are skipped", arguments: [100, 102, 103])
    func interim(status: Int) {
        var parser = ResponseHeadParser()
        #expect(parse(["HTTP/1.1 \(status) Wait", "Link: early", ""], &parser) == .more)
        #expect(!parser.isComplete)
        #expect(parse(["HTTP/1.1 200 OK", "Content-Length: 1", ""], &parser) == .complete)
        #expect(parser.status == 200)
        #expect(parser.headers.fields.map(\.name) == ["Content-Length"])
    }

    @Test("A response head may have no reason, an old version or bytes that are not UTF-8")
    func odd() {
        for line in ["HTTP/1.1 200", "HTTP/1.0 200 OK", "HTTP/1.1  200  "] {
            var parser = ResponseHeadParser()
            #expect(parse([line, ""], &parser) == .complete)
            #expect(parser.status == 200)
        }
        var parser = ResponseHeadParser()
        _ = parse(["HTTP/1.1 200 OK"], &parser)
        _ = [UInt8]("x-raw: a".utf8 + [0xFF] + "b\r\n".utf8).withUnsafeBytes { parser.take($0) }
        #expect(parse([""], &parser) == .complete)
        #expect(parser.headers["x-raw"] == "a\u{FFFD}b")
    }

    @Test("A folded line of a response head belongs to the header before it")
    func folded() {
        var parser = ResponseHeadParser()
        let lines = ["HTTP/1.1 200 OK", "x-long: one", "  two: three", "\tfour", "ETag: \"a\"", ""]
        #expect(parse(lines, &parser) == .complete)
        #expect(parser.headers.fields.map(\.name) == ["x-long", "ETag"])
        #expect(parser.headers["x-long"] == "one two: three four")
    }

    @Test("Trailers after a response head are ignored")
    func trailers() {
        var parser = ResponseHeadParser()
        #expect(parse(["HTTP/1.1 200 OK", "ETag: \"a\"", ""], &parser) == .complete)
        #expect(parse(["ETag: \"b\"", "x-trailer: c", ""], &parser) == .more)
        #expect(parser.headers.fields.map(\.value) == ["\"a\""])
    }

    @Test("Response heads have at most 256 KiB, interim responses included")
    func limit() {
        var parser = ResponseHeadParser()
        _ = parse(["HTTP/1.1 200 OK"], &parser)
        let line = "x: " + String(repeating: "y", count: 1019)
        for _ in 0..<255 { #expect(parse([line], &parser) == .more) }
        #expect(parse([line, line], &parser) == .tooLarge)

        var endless = ResponseHeadParser()
        var outcome = ResponseHeadParser.Outcome.more
        for _ in 0..<20_000 where outcome == .more { outcome = parse(["HTTP/1.1 100 Continue", ""], &endless) }
        #expect(outcome == .tooLarge)
    }
}
