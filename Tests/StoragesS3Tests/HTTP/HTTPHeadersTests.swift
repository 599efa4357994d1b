import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Headers")
struct HTTPHeadersTests {
    @Test("Headers are found whatever the case of their names, and keep their order")
    func names() {
        var headers: HTTPHeaders = ["Content-Type": "a/b", "x-amz-meta-a": "1"]
        headers.append("X-Amz-Meta-A", "2")
        #expect(headers["content-TYPE"] == "a/b")
        #expect(headers["X-AMZ-META-A"] == "1")
        #expect(headers.fields.map(\.value) == ["a/b", "1", "2"])
        headers["X-Amz-Meta-A"] = nil
        #expect(headers.fields.map(\.name) == ["Content-Type"])
    }
}
