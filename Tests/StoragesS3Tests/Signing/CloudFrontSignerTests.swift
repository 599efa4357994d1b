import Foundation
import Storages
import Testing

@testable import StoragesS3

@Suite("Signed URLs of CloudFront")
struct CloudFrontSignerTests {
    struct Case: Decodable, Sendable {
        var url: String
        var until: Int
        var from: Int?
        var ipAddress: String?
        var resource: String?
        var signed: String

        var policy: CloudFrontPolicy {
            CloudFrontPolicy(
                until: Date(timeIntervalSince1970: Double(until)),
                from: from.map { Date(timeIntervalSince1970: Double($0)) },
                ipAddress: ipAddress,
                resource: resource
            )
        }
    }

    private let keyID = "K2JCJMDEHXQW5F"

    @Test("CloudFront URLs agree with botocore for canned and custom policies")
    func recorded() throws {
        let signer = try CloudFrontSigner(keyID: keyID, privateKey: RecordedCases.text("cloudfront-test-key.pem"))
        let cases = try RecordedCases.load("cloudfront.json", as: [Case].self)
        #expect(cases.filter(\.policy.isCanned).count == 6)
        #expect(cases.count == 12)
        for (index, example) in cases.enumerated() {
            #expect(try signer.signedURL(example.url, policy: example.policy) == example.signed, "case \(index)")
        }
    }

    @Test("A canned policy is written in CloudFront's order, without blanks")
    func canned() {
        let policy = CloudFrontPolicy(until: Date(timeIntervalSince1970: 1_700_000_000.9))
        #expect(
            policy.json(for: "https://d.cloudfront.net/a?b=1&c=2")
                == #"{"Statement":[{"Resource":"https://d.cloudfront.net/a?b=1&c=2","#
                + #""Condition":{"DateLessThan":{"AWS:EpochTime":1700000000}}}]}"#
        )
    }

    @Test(
        "A URL that is malformed or already signed is not signed for CloudFront",
        arguments: [
            "/a", "d.cloudfront.net/a", "s3://b/a", "https://d/a b", "https://d/é", "https://d/a#f", "https://d/a\n",
            "https://d/a\"", "https://d/a?Expires=1", "https://d/a?x=1&Signature=2", "https://d/a?Policy",
            "https://d/?Key-Pair-Id=",
        ]
    )
    func refused(url: String) throws {
        let signer = try CloudFrontSigner(keyID: keyID, privateKey: RecordedCases.text("cloudfront-test-key.pem"))
        let error = #expect(throws: StorageError.self) {
            try signer.signedURL(url, policy: CloudFrontPolicy(until: Date(timeIntervalSince1970: 1)))
        }
        #expect(error?.code == .invalidURL)
    }

    @Test(
        "A malformed CloudFront key is refused and not shown",
        arguments: [
            "", "c2VjcmV0", "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n",
        ]
    )
    func badKeys(pem: String) {
        let error = #expect(throws: StorageError.self) { try RSAPrivateKey(pem: pem) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("c2VjcmV0") == false)
    }

    /// Nobody is asked for a password: the test would wait for it.
    @Test(
        "The error says what is wrong with a CloudFront key",
        arguments: [("elliptic-test-key.pem", "no RSA"), ("encrypted-test-key.pem", "encrypted")]
    )
    func otherKeys(file: String, text: String) throws {
        let pem = try RecordedCases.text(file)
        let error = #expect(throws: StorageError.self) { try RSAPrivateKey(pem: pem) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains(text) == true)
    }

    @Test("A CloudFront key may be given in PKCS #8")
    func pkcs8() throws {
        // The same bytes in an outer frame, so the same key.
        let lines = try RecordedCases.text("cloudfront-test-key.pem").split(separator: "\n").dropFirst().dropLast()
        let pkcs1 = try #require(Data(base64Encoded: lines.joined()))
        func length(_ count: Int) -> [UInt8] { [0x82, UInt8(count >> 8), UInt8(count & 255)] }
        let algorithm: [UInt8] = [0x30, 0x0D, 6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0]
        let content = [2, 1, 0] + algorithm + [4] + length(pkcs1.count) + pkcs1
        let pkcs8 = Data([0x30] + length(content.count) + content).base64EncodedString()
        let key = try RSAPrivateKey(pem: "-----BEGIN PRIVATE KEY-----\n\(pkcs8)\n-----END PRIVATE KEY-----\n")
        let same = try RSAPrivateKey(pem: RecordedCases.text("cloudfront-test-key.pem"))
        #expect(try key.signatureWithSHA1(of: "text") == same.signatureWithSHA1(of: "text"))
    }

    @Test("A CloudFront key ID that would be another parameter is refused", arguments: ["", "K&x=1", "K K"])
    func badID(id: String) throws {
        let pem = try RecordedCases.text("cloudfront-test-key.pem")
        #expect(throws: StorageError.self) { try CloudFrontSigner(keyID: id, privateKey: pem) }
    }

    @Test("A CloudFront signer does not show its key and can be used by many tasks at once")
    func printing() async throws {
        let signer = try CloudFrontSigner(keyID: keyID, privateKey: RecordedCases.text("cloudfront-test-key.pem"))
        var dumped = ""
        dump(signer, to: &dumped)
        #expect(dumped.contains("RSAPrivateKey(…)"))
        #expect(!dumped.contains("0x"))
        let policy = CloudFrontPolicy(until: Date(timeIntervalSince1970: 1))
        let expected = try signer.signedURL("https://d/a", policy: policy)
        try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<32 { group.addTask { try signer.signedURL("https://d/a", policy: policy) } }
            for try await made in group { #expect(made == expected) }
        }
    }
}
