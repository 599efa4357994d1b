import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("User metadata")
struct UserMetadataTests {
    private let plain = UserMetadata()
    private let encoded = UserMetadata(encoding: .percent)

    @Test("User metadata is sent in lower case, sorted and with trimmed values, even empty ones")
    func fields() throws {
        let headers = try plain.headers(["Name": "n", "B": " b ", "A": "a", "empty": "", "x-amz-meta-c": "c"])
        let expected: HTTPHeaders = [
            "x-amz-meta-a": "a", "x-amz-meta-b": "b", "x-amz-meta-empty": "", "x-amz-meta-name": "n",
            "x-amz-meta-x-amz-meta-c": "c",
        ]
        #expect(headers == expected)
        #expect(try HeaderValidation.check(headers).omitted.isEmpty)
    }

    @Test(
        "User metadata that cannot be kept is refused in every encoding",
        arguments: [
            ["é": "a"], ["": "a"], ["a": "1", "A": "2"], ["a": "x\r\nX-Evil: SECRET"], ["a b": "c"], ["a": "SECRET\0"],
            ["a": "\u{7F}"],
        ],
        S3MetadataEncoding.allCases
    )
    func bad(metadata: [String: String], encoding: S3MetadataEncoding) {
        let error = #expect(throws: StorageError.self) { try UserMetadata(encoding: encoding).headers(metadata) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("SECRET") == false)
    }

    @Test("User metadata that is not ASCII is refused with the option that helps")
    func notASCII() {
        let error = #expect(throws: StorageError.self) { try plain.headers(["Title": "caf\u{E9}"]) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("\"Title\"") == true)
        #expect(error?.message.contains("metadataEncoding") == true)
        #expect(error?.message.contains("caf") == false)
    }

    @Test(
        "User metadata that is percent-encoded comes back unchanged",
        arguments: ["50% ü 😀", "100%25", "%", "plain", "", "日本"]
    )
    func roundTrip(value: String) throws {
        let headers = try encoded.headers(["a": value])
        #expect(headers["x-amz-meta-a"]?.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F } == true)
        #expect(encoded.values(in: headers) == ["a": value])
    }

    @Test("User metadata is percent-encoded in upper case and keeps its blanks")
    func encoding() throws {
        #expect(try encoded.headers(["a": "50% ü 😀"])["x-amz-meta-a"] == "50%25 %C3%BC %F0%9F%98%80")
    }

    @Test("User metadata that cannot be decoded is returned as it is", arguments: ["100%", "%zz", "%FF"])
    func foreign(value: String) {
        #expect(encoded.values(in: ["x-amz-meta-a": value]) == ["a": value])
        #expect(plain.values(in: ["X-Amz-Meta-A": value]) == ["a": value])
    }

    @Test("User metadata does not contain the library's own entry")
    func nonce() {
        #expect(plain.values(in: ["x-amz-meta-stored-files-upload": "1", "x-amz-meta-b": "2"]) == ["b": "2"])
    }

    @Test(
        "User metadata has at most 2 KiB, including the library's own entry",
        arguments: S3MetadataEncoding.allCases
    )
    func size(encoding: S3MetadataEncoding) throws {
        let metadata = UserMetadata(encoding: encoding)
        let nonce = UploadNonce.name.utf8.count + UploadNonce.make().utf8.count
        let rest = 2048 - nonce - 1002 - 2
        let fits = ["ab": String(repeating: "x", count: 1000), "cd": String(repeating: "y", count: rest)]
        #expect(try metadata.headers(fits).fields.count == 2)
        let exceeds = fits.merging(["cd": String(repeating: "y", count: rest + 1)]) { $1 }
        let error = #expect(throws: StorageError.self) { try metadata.headers(exceeds) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("The size of user metadata counts in its encoded form")
    func encodedSize() {
        let umlauts = ["a": String(repeating: "ü", count: 400)]
        #expect(throws: StorageError.self) { try encoded.headers(umlauts) }
    }
}
