import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Parameters of objects")
struct S3ObjectParametersTests {
    private static let keyBytes = (0..<32).map { UInt8($0) }
    private static let customerFields: HTTPHeaders = [
        "x-amz-server-side-encryption-customer-algorithm": "AES256",
        "x-amz-server-side-encryption-customer-key": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        "x-amz-server-side-encryption-customer-key-MD5": "tP/LI3N87DFaSk0aoqYgzg==",
    ]

    private func fields(_ headers: HTTPHeaders) -> [String: String] {
        Dictionary(headers.fields.map { ($0.name, $0.value) }, uniquingKeysWith: { $0 + "," + $1 })
    }

    private var full: S3ObjectParameters {
        var parameters = S3ObjectParameters()
        parameters.cacheControl = "no-cache"
        parameters.contentDisposition = "inline"
        parameters.contentEncoding = "gzip"
        parameters.contentLanguage = "de"
        parameters.contentType = "text/plain; charset=utf-8"
        parameters.expires = Date(timeIntervalSince1970: 784_111_777)
        parameters.metadata = ["B-Two": "2", "a": ""]
        parameters.tags = ["b c": "d&e", "a": "ü"]
        parameters.storageClass = .standardInfrequentAccess
        parameters.encryption = .kms(keyID: "arn:k", context: ["d": "é", "a/b": "c"], usesBucketKey: true)
        parameters.websiteRedirectLocation = "/x"
        parameters.objectLock = S3ObjectLock(mode: .governance, retainUntil: Date(timeIntervalSince1970: 784_111_777))
        parameters.hasLegalHold = false
        parameters.acl = .publicRead
        parameters.requesterPays = true
        parameters.expectedBucketOwner = "111122223333"
        return parameters
    }

    private static let described = [
        "Cache-Control": "no-cache", "Content-Disposition": "inline", "Content-Encoding": "gzip",
        "Content-Language": "de",
        "Content-Type": "text/plain; charset=utf-8", "Expires": "Sun, 06 Nov 1994 08:49:37 GMT",
        "x-amz-meta-b-two": "2",
        "x-amz-meta-a": "",
    ]
    private static let placed = [
        "x-amz-storage-class": "STANDARD_IA", "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "arn:k",
        "x-amz-server-side-encryption-context": "eyJhL2IiOiJjIiwiZCI6IsOpIn0=",
        "x-amz-server-side-encryption-bucket-key-enabled": "true", "x-amz-website-redirect-location": "/x",
        "x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "1994-11-06T08:49:37Z",
        "x-amz-object-lock-legal-hold": "OFF", "x-amz-acl": "public-read",
    ]
    private static let account = ["x-amz-request-payer": "requester", "x-amz-expected-bucket-owner": "111122223333"]
    private static let tagging = "a=%C3%BC&b%20c=d%26e"

    @Test("Object parameters become headers of uploads")
    func creation() throws {
        let expected = Self.described.merging(Self.placed) { $1 }.merging(Self.account) { $1 }
            .merging(["x-amz-tagging": Self.tagging]) { $1 }
        #expect(fields(try full.creationHeaders(isSecure: true)) == expected)
        #expect(try full.creationHeaders(isSecure: true) == full.creationHeaders(isSecure: true))
        #expect(try S3ObjectParameters().creationHeaders(isSecure: false) == [:])
        #expect(full.requiresChecksum)
        #expect(!S3ObjectParameters().requiresChecksum)
    }

    @Test("Object parameters become headers of copies, except those that describe the contents")
    func copies() throws {
        let common = Self.placed.merging(Self.account) { $1 }
            .merging(["x-amz-tagging": Self.tagging, "x-amz-tagging-directive": "REPLACE"]) { $1 }
        #expect(fields(try full.copyHeaders(isSecure: true)) == common)
    }

    @Test("Requests for bytes have only the account's headers of the object parameters")
    func access() throws {
        #expect(fields(try full.accessHeaders(isSecure: false)) == Self.account)
        #expect(fields(full.accountHeaders) == Self.account)
    }

    @Test("A customer key goes with every request for the object, and never over plain HTTP")
    func customerKey() throws {
        let key = try S3CustomerKey(Self.keyBytes)
        var parameters = S3ObjectParameters()
        parameters.encryption = .customerKey(key)
        #expect(try parameters.creationHeaders(isSecure: true) == Self.customerFields)
        #expect(try parameters.accessHeaders(isSecure: true) == Self.customerFields)
        let source = Dictionary(
            uniqueKeysWithValues: fields(Self.customerFields).map {
                ($0.key.replacing("x-amz-", with: "x-amz-copy-source-"), $0.value)
            }
        )
        let both = source.merging(fields(Self.customerFields)) { $1 }
        #expect(fields(try parameters.partCopyHeaders(isSecure: true, sourceKey: key)) == both)
        #expect(fields(try parameters.copyHeaders(isSecure: true, sourceKey: key)) == both)
        let requests: [() throws -> HTTPHeaders] = [
            { try parameters.creationHeaders(isSecure: false) }, { try parameters.accessHeaders(isSecure: false) },
            { try parameters.copyHeaders(isSecure: false) }, { try parameters.partCopyHeaders(isSecure: false) },
            { try S3ObjectParameters().copyHeaders(isSecure: false, sourceKey: key) },
            { try S3ObjectParameters().partCopyHeaders(isSecure: false, sourceKey: key) },
        ]
        for request in requests {
            let error = #expect(throws: StorageError.self) { try request() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("useSSL") == true)
        }
    }

    @Test("A customer key is never shown")
    func secrets() throws {
        let key = try S3CustomerKey(base64: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
        #expect(try key == S3CustomerKey(Self.keyBytes))
        var parameters = S3ObjectParameters()
        parameters.encryption = .customerKey(key)
        var dumped = ""
        dump(parameters, to: &dumped)
        for text in ["\(key)", String(reflecting: key), "\(parameters)", String(reflecting: parameters), dumped] {
            #expect(!text.contains("AAECAw"))
            #expect(!text.contains("tP/LI3"))
        }
        for make: () throws -> S3CustomerKey in [
            { try S3CustomerKey([1, 2, 3]) }, { try S3CustomerKey(base64: "AAECAw==") },
            { try S3CustomerKey(base64: "no base64!") },
        ] {
            let error = #expect(throws: StorageError.self) { try make() }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("AAEC") == false)
        }
    }

    @Test("Each kind of server-side encryption has its headers")
    func encryptions() throws {
        #expect(try S3Encryption.aes256.headers == ["x-amz-server-side-encryption": "AES256"])
        #expect(try S3Encryption.kms().headers == ["x-amz-server-side-encryption": "aws:kms"])
        #expect(
            fields(try S3Encryption.doubleKMS(keyID: "k").headers)
                == ["x-amz-server-side-encryption": "aws:kms:dsse", "x-amz-server-side-encryption-aws-kms-key-id": "k"]
        )
    }

    @Test("Object parameters that no server would accept are refused")
    func refusals() {
        let changes: [(String, (inout S3ObjectParameters) -> Void)] = [
            (
                "acl",
                {
                    $0.acl = .private
                    $0.grants = S3Grants(read: "id=\"x\"")
                }
            ),
            ("metadata", { $0.metadata = ["a": "1", "A": "2"] }), ("metadata", { $0.metadata = ["": "1"] }),
            ("metadata", { $0.metadata = ["a": "caf\u{E9}"] }),
            ("metadata", { $0.metadata = ["a": String(repeating: "x", count: UserMetadata.byteLimit)] }),
            ("expires", { $0.expires = .distantFuture.addingTimeInterval(1e15) }),
            (
                "objectLock",
                { $0.objectLock = S3ObjectLock(mode: .compliance, retainUntil: Date(timeIntervalSince1970: .infinity)) }
            ),
        ]
        for (word, change) in changes {
            var parameters = S3ObjectParameters()
            change(&parameters)
            let error = #expect(throws: StorageError.self, "\(word)") { try parameters.creationHeaders(isSecure: true) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(word) == true)
        }
        var largest = S3ObjectParameters()
        largest.metadata = ["a": String(repeating: "x", count: UserMetadata.byteLimit - 1)]
        #expect(throws: Never.self) { try largest.creationHeaders(isSecure: true) }
    }

    @Test("Object parameters of a call win over those of the storage")
    func merging() throws {
        var call = S3ObjectParameters()
        call.cacheControl = "max-age=1"
        call.metadata = ["b-two": "3", "c": "4"]
        call.tags = ["a": "z"]
        call.grants = S3Grants(read: "r", readACP: "ra", writeACP: "wa", fullControl: "f")
        let merged = full.merging(call)
        #expect(merged.cacheControl == "max-age=1")
        #expect(merged.contentType == full.contentType)
        #expect(merged.metadata == ["a": "", "b-two": "3", "c": "4"])
        #expect(merged.tags == ["a": "z", "b c": "d&e"])
        #expect(merged.acl == nil)
        #expect(merged.requesterPays)
        let headers = fields(try merged.creationHeaders(isSecure: true))
        #expect(headers["x-amz-grant-read"] == "r")
        #expect(headers["x-amz-grant-read-acp"] == "ra")
        #expect(headers["x-amz-grant-write-acp"] == "wa")
        #expect(headers["x-amz-grant-full-control"] == "f")
        #expect(full.merging(S3ObjectParameters()) == full)
        #expect(S3ObjectParameters().merging(full) == full)
    }
}
