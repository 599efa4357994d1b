import NIOConcurrencyHelpers
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Without the right `s3:ListBucket` Amazon says of what is not there that access is denied.
@Suite("Credentials without the right to list", .timeLimit(.minutes(1)))
struct NarrowRoleTests {
    static let name = StorageName(unchecked: "file.bin")
    static let large = UploadBody.buffer(ByteBuffer(repeating: 7, count: 9 << 20))
    static let denied = ScriptedTransport.Answer(
        status: 403,
        body: ScriptedBucket.error("AccessDenied"),
        headers: ["x-amz-request-id": "1", "Content-Type": "application/xml"]
    )

    /// A bucket of Amazon's with one file, `there`.
    private static func transport() -> ScriptedTransport {
        ScriptedTransport { request in
            let isThere = request.url.contains("/there")
            switch request.method {
            case .head:
                if isThere {
                    return .init(
                        status: 200,
                        body: "",
                        headers: ["Content-Length": "1", "ETag": "\"t\"", "x-amz-request-id": "1"]
                    )
                }
                return .init(status: 403, body: "", headers: ["x-amz-request-id": "1"])
            case .get: return denied
            case .post where request.url.contains("uploads="):
                return .ok("<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
            case .post:
                if isThere, request.headers["If-None-Match"] != nil {
                    return .init(status: 412, body: ScriptedBucket.error("PreconditionFailed"))
                }
                return .ok("<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>")
            case .put:
                if request.headers["x-amz-copy-source"] != nil {
                    let isTaken = request.headers["If-None-Match"] != nil && request.url.contains("/taken2")
                    if isTaken { return .init(status: 412, body: ScriptedBucket.error("PreconditionFailed")) }
                    return .ok("<CopyObjectResult><ETag>\"c\"</ETag></CopyObjectResult>")
                }
                return .init(status: 200, body: "", headers: ["ETag": "\"e\""])
            case .delete: return .init(status: 204, body: "")
            }
        }
    }

    @Test("A conditional multipart upload works without the right to list")
    func large() async throws {
        let transport = Self.transport()
        let storage = try ScriptedBucket.amazon(transport)
        let file = try await storage.upload(Self.large, to: Self.name, options: UploadOptions(ifExists: .fail))
        #expect(file.name == Self.name)
        #expect(transport.requests.contains { $0.isCompletion && $0.headers["If-None-Match"] == "*" })

        let there = StorageName(unchecked: "there")
        let code = await storageErrorCode {
            try await storage.upload(Self.large, to: there, options: UploadOptions(ifExists: .fail))
        }
        #expect(code == .alreadyExists)
    }

    @Test("A large file gets another name when the right to list is missing")
    func renamed() async throws {
        let storage = try ScriptedBucket.amazon(Self.transport())
        let file = try await storage.upload(Self.large, to: Self.name, options: UploadOptions(ifExists: .rename))
        #expect(file.name != Self.name)
        #expect(file.name.string.hasPrefix("file-") && file.name.string.hasSuffix(".bin"), "\(file.name)")
    }

    @Test("Copies and deletions work without the right to list")
    func others() async throws {
        let storage = try ScriptedBucket.amazon(Self.transport())
        let there = StorageName(unchecked: "there")
        let copy = try await storage.copy(there, to: Self.name, options: UploadOptions(ifExists: .fail))
        #expect(copy.name == Self.name)
        #expect(try await storage.delete([Self.name]).isEmpty)
        // Refused, and the source is the same: it is the destination.
        let code = await storageErrorCode {
            try await storage.copy(there, to: StorageName(unchecked: "taken2"), options: UploadOptions(ifExists: .fail))
        }
        #expect(code == .alreadyExists)
    }

    @Test("A permission error names the right to list when it is missing")
    func advice() async throws {
        let storage = try ScriptedBucket.amazon(Self.transport())
        for work in [
            { _ = try await storage.info(for: Self.name) }, { _ = try await storage.exists(Self.name) },
            { _ = try await storage.open(Self.name) }, { _ = try await storage.listedKeys(prefix: "") },
            { _ = try await storage.copy(Self.name, to: StorageName(unchecked: "copy"), options: UploadOptions()) },
            { _ = try await storage.verifyDirectUpload(Self.name, size: 0...10) },
        ] as [() async throws -> Void] {
            let error = await #expect(throws: StorageError.self) { try await work() }
            #expect(error?.code == .permissionDenied)
            #expect(error?.message.contains("s3:ListBucket") == true, "\(String(describing: error))")
        }
        let error = await #expect(throws: StorageError.self) { try await storage.abandonUploads(of: [Self.name]) }
        #expect(error?.message.contains("s3:ListBucketMultipartUploads") == true)
    }
}
