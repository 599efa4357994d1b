import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Validation of headers")
struct HeaderValidationTests {
    private func refusal(_ name: String, _ value: String) -> StorageError? {
        #expect(throws: StorageError.self) { try HeaderValidation.check([name: value]) }
    }

    @Test(
        "A header value with a control character is refused and not shown",
        arguments: Array(0..<0x20) + [0x7F] as [UInt8]
    )
    func controls(byte: UInt8) {
        let text = String(Unicode.Scalar(byte))
        for value in [text, "SECRET" + text, text + "SECRET", "SEC" + text + "RET"] {
            let error = refusal("x-amz-meta-a", value)
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("x-amz-meta-a") == true)
            #expect(error?.message.contains("SEC") == false)
        }
    }

    @Test(
        "A header name that is not a token is refused",
        arguments: ["", " ", "a b", "a:", "é", "a\r\nb", "a\0", "(a)", "a/b", "a\"", "a@b"]
    )
    func names(name: String) {
        #expect(refusal(name, "v")?.code == .invalidConfiguration)
    }

    @Test("Header values are trimmed, and empty ones are left out except for metadata")
    func trimming() throws {
        let result = try HeaderValidation.check([
            "A": "  x  y ", "X-Amz-Meta-b": "  ", "c": "   ", "d!#$%&'*+-.^_`|~9": "é",
        ])
        #expect(result.headers.fields.map(\.name) == ["A", "X-Amz-Meta-b", "d!#$%&'*+-.^_`|~9"])
        #expect(result.headers.fields.map(\.value) == ["x  y", "", "é"])
        #expect(result.omitted == ["c"])
    }
}
