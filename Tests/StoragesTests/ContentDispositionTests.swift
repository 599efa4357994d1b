import Storages
import Testing

@Suite("Values of Content-Disposition")
struct ContentDispositionTests {
    @Test(
        "A Content-Disposition is ASCII, whatever the file name contains",
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
        let value = ContentDisposition.attachment(filename: filename)
        #expect(value == expected)
        #expect(value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        #expect(ContentDisposition.inline(filename: filename) == "inline" + expected.dropFirst("attachment".count))
    }
}
