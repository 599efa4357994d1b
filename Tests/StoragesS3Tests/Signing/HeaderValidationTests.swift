import Storages
import Testing

@testable import StoragesHTTP
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
}
