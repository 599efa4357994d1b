import NIOCore
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Integrity policy")
struct IntegrityPolicyTests {
    private let body = HTTPBody("123456789")

    @Test("The default checksum is CRC-32 for Amazon and none for other servers")
    func auto() throws {
        let aws = IntegrityPolicy(.auto, profile: .known(.aws))
        #expect(try aws.uploadHeaders(for: body) == ["x-amz-checksum-crc32": "y/Q5Jg=="])
        #expect(aws.downloadHeaders == ["x-amz-checksum-mode": "ENABLED"])
        for kind in S3Server.Kind.allCases where kind != .aws {
            let other = IntegrityPolicy(.auto, profile: .known(kind))
            #expect(try other.uploadHeaders(for: body) == [:])
            #expect(other.createMultipartHeaders == [:])
            #expect(other.downloadHeaders == [:])
        }
    }

    @Test("The environment decides about checksums only where the option is automatic")
    func environment() throws {
        let environment = [
            "AWS_REQUEST_CHECKSUM_CALCULATION": "WHEN_REQUIRED", "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        ]
        let auto = IntegrityPolicy(.auto, profile: .known(.aws), environment: environment)
        #expect(auto == IntegrityPolicy(.none, profile: .known(.aws)))
        #expect(IntegrityPolicy(.crc32, profile: .known(.aws), environment: environment).uploads == .crc32)
        let supported = ["AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported"]
        #expect(IntegrityPolicy(.auto, profile: .known(.aws), environment: supported).uploads == .crc32)
    }

    @Test(
        "Each integrity setting has its headers",
        arguments: [
            (.none, [:], [:]), (.md5, ["Content-MD5": "JfnnlDI7RTiF9RgfG2JNCw=="], [:]),
            (
                .crc32, ["x-amz-checksum-crc32": "y/Q5Jg=="],
                ["x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "FULL_OBJECT"]
            ),
            (
                .crc32c, ["x-amz-checksum-crc32c": "4waSgw=="],
                ["x-amz-checksum-algorithm": "CRC32C", "x-amz-checksum-type": "FULL_OBJECT"]
            ),
            (
                .crc64nvme, ["x-amz-checksum-crc64nvme": "rosUhgp5mIg="],
                ["x-amz-checksum-algorithm": "CRC64NVME", "x-amz-checksum-type": "FULL_OBJECT"]
            ),
            (
                .sha256, ["x-amz-checksum-sha256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU="],
                ["x-amz-checksum-algorithm": "SHA256", "x-amz-checksum-type": "COMPOSITE"]
            ),
        ] as [(S3Integrity, HTTPHeaders, HTTPHeaders)]
    )
    func settings(setting: S3Integrity, upload: HTTPHeaders, multipart: HTTPHeaders) throws {
        let policy = IntegrityPolicy(setting, profile: .known(.generic))
        #expect(try policy.uploadHeaders(for: body) == upload)
        #expect(policy.createMultipartHeaders == multipart)
        #expect(policy.completeMultipartHeaders["x-amz-checksum-type"] == multipart["x-amz-checksum-type"])
    }

    @Test("Content-MD5 is computed for the bodies that need it")
    func contentMD5() throws {
        #expect(try IntegrityPolicy.contentMD5(of: body) == ["Content-MD5": "JfnnlDI7RTiF9RgfG2JNCw=="])
    }

    // MARK: Downloads

    private func verify(_ headers: HTTPHeaders, _ pieces: String...) throws -> Bool? {
        guard var check = try DownloadCheck(headers) else { return nil }
        for piece in pieces { check.update(ByteBuffer(string: piece)) }
        return try check.finish()
    }

    @Test("A download passes its check only if the bytes match the checksum")
    func downloads() throws {
        for headers: HTTPHeaders in [
            ["x-amz-checksum-crc32": "y/Q5Jg=="], ["X-Amz-Checksum-CRC32C": "4waSgw=="],
            ["x-amz-checksum-crc64nvme": "rosUhgp5mIg="],
            [
                "x-amz-checksum-sha256": "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
                "x-amz-checksum-type": "FULL_OBJECT",
            ],
        ] {
            #expect(try verify(headers, "1234", "56789") == true)
            #expect(try verify(headers, "1234", "5678") == false)
            #expect(try verify(headers) == false)
        }
        #expect(try verify(["x-amz-checksum-crc32": "nonsense"], "123456789") == false)
    }

    @Test("Checksums of parts, ranges or unknown algorithms are not checked on download")
    func skipped() throws {
        #expect(try verify(["x-amz-checksum-crc32": "y/Q5Jg==-7"]) == nil)
        #expect(try verify(["x-amz-checksum-crc32": "y/Q5Jg==", "x-amz-checksum-type": "COMPOSITE"]) == nil)
        #expect(try verify(["x-amz-checksum-crc32": "y/Q5Jg==", "Content-Range": "bytes 0-1/9"]) == nil)
        #expect(try verify(["x-amz-checksum-sha1": "x", "x-amz-checksum-crc32": ""]) == nil)
        #expect(try verify([:]) == nil)
    }
}
