import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Parameters of single objects", .timeLimit(.minutes(2)))
struct S3ParameterTests {
    private let name = StorageName(unchecked: "secret/a")
    private static let answer: HTTPHeaders = ["ETag": "\"1\"", "Content-Length": "0"]

    private func transport() -> ScriptedTransport {
        ScriptedTransport { request in
            request.url.contains("copy")
                ? .init(
                    status: 200,
                    body: "<CopyObjectResult><ETag>\"2\"</ETag></CopyObjectResult>",
                    headers: Self.answer
                )
                : .init(status: 200, body: "", headers: Self.answer)
        }
    }

    private func key(_ byte: UInt8) throws -> S3CustomerKey { try S3CustomerKey([UInt8](repeating: byte, count: 32)) }

    @Test("Parameters that are chosen by name go with the requests for the object")
    func everywhere() async throws {
        let key = try key(1)
        let transport = transport()
        let storage = try ScriptedBucket.amazon(transport) {
            $0.objectParametersForName = { name in
                var parameters = S3ObjectParameters()
                guard name.string.hasPrefix("secret/") else { return parameters }
                parameters.encryption = .customerKey(key)
                parameters.requesterPays = true
                parameters.expectedBucketOwner = "111122223333"
                return parameters
            }
        }
        let replace = UploadOptions(ifExists: .replace)
        _ = try await storage.upload(.string(""), to: name, options: replace)
        _ = try await storage.open(name)
        _ = try await storage.info(for: name)
        let field = "x-amz-server-side-encryption-customer-key"
        #expect(transport.requests.count == 3)
        for request in transport.requests {
            #expect(request.headers[field] == key.headers()[field], "\(request.method)")
            #expect(request.headers["x-amz-request-payer"] == "requester")
        }
        try await storage.delete(name)
        #expect(transport.requests.last?.headers["x-amz-expected-bucket-owner"] == "111122223333")
        #expect(transport.requests.last?.headers[field] == nil)

        _ = try await storage.copy(name, to: StorageName(unchecked: "plain/copy"), options: replace)
        let copy = try #require(transport.requests.last)
        #expect(copy.headers["x-amz-copy-source-server-side-encryption-customer-key"] == key.headers()[field])
        #expect(copy.headers[field] == nil)
    }

    @Test("Parameters of a call win over those of the storage and of the name")
    func applying() async throws {
        let transport = transport()
        let storage = try ScriptedBucket.amazon(transport) {
            $0.objectParameters.cacheControl = "max-age=1"
            $0.objectParameters.tags = ["a": "1"]
            $0.objectParametersForName = { _ in
                var parameters = S3ObjectParameters()
                parameters.storageClass = .glacier
                parameters.tags = ["b": "2"]
                return parameters
            }
        }
        var call = S3ObjectParameters()
        call.storageClass = .standardInfrequentAccess
        call.tags = ["c": "3"]
        let replace = UploadOptions(ifExists: .replace, cacheControl: "no-store")
        let applied = try storage.applying(call)
        _ = try await applied.upload(.string(""), to: name, options: replace)
        let headers = try #require(transport.requests.last?.headers)
        #expect(headers["x-amz-storage-class"] == "STANDARD_IA")
        #expect(headers["x-amz-tagging"] == "a=1&b=2&c=3")
        #expect(headers["Cache-Control"] == "no-store")

        var more = S3ObjectParameters()
        more.tags = ["d": "4"]
        _ = try await applied.applying(more).upload(.string(""), to: name, options: replace)
        #expect(transport.requests.last?.headers["x-amz-tagging"] == "a=1&b=2&c=3&d=4")
        #expect(transport.requests.last?.headers["x-amz-storage-class"] == "STANDARD_IA")

        _ = try await storage.upload(.string(""), to: name, options: replace)
        #expect(transport.requests.last?.headers["x-amz-storage-class"] == "GLACIER")
        #expect(transport.requests.last?.headers["x-amz-tagging"] == "a=1&b=2")
    }

    @Test("Parameters of an object are checked when they are applied")
    func refused() throws {
        let storage = try ScriptedBucket.amazon(transport())
        var call = S3ObjectParameters()
        call.contentDisposition = "attachment; filename=\"Größe.pdf\""
        let error = #expect(throws: StorageError.self) { try storage.applying(call) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("contentDisposition") == true)
        #expect(error?.message.contains("ContentDisposition.attachment") == true)
    }

    // MARK: Copies

    /// As somebody else has written it: with what this library would not send.
    private static let foreign: HTTPHeaders = [
        "ETag": "\"1\"", "Content-Length": "3", "Content-Type": "text/x-own; charset=utf-8",
        "Cache-Control": "max-age=5", "Content-Language": "de", "Expires": "Thu, 01 Dec 2044 16:00:00 GMT",
        "x-amz-meta-title": "Gr\u{F6}\u{DF}e", "x-amz-meta-stored-files-upload": "other",
        "x-amz-meta-long": String(repeating: "x", count: 2040),
    ]

    private func copied(_ options: UploadOptions, to destination: String = "copy") async throws -> HTTPHeaders {
        let transport = ScriptedTransport { request in
            request.method == .head
                ? .init(status: 200, body: "", headers: Self.foreign)
                : .init(status: 200, body: "<CopyObjectResult><ETag>\"2\"</ETag></CopyObjectResult>")
        }
        let storage = try ScriptedBucket.amazon(transport) { $0.objectParameters.cacheControl = "no-store" }
        _ = try await storage.copy(name, to: StorageName(unchecked: destination), options: options)
        return try #require(transport.requests.last?.headers)
    }

    @Test("A copy without new parameters leaves the metadata to the server")
    func plainCopy() async throws {
        let headers = try await copied(UploadOptions(ifExists: .replace))
        #expect(headers["x-amz-metadata-directive"] == "COPY")
        #expect(headers["Content-Type"] == nil)
        #expect(headers["x-amz-meta-title"] == nil)
    }

    @Test("A copy with new parameters keeps the other headers of the source")
    func describedCopy() async throws {
        let headers = try await copied(UploadOptions(ifExists: .replace, cacheControl: "max-age=7"))
        #expect(headers["x-amz-metadata-directive"] == "REPLACE")
        #expect(headers["Content-Type"] == "text/x-own; charset=utf-8")
        #expect(headers["Cache-Control"] == "max-age=7")
        #expect(headers["Content-Language"] == "de")
        #expect(headers["Expires"] == Self.foreign["Expires"])
        #expect(headers["x-amz-meta-title"] == Self.foreign["x-amz-meta-title"])
        #expect(headers["x-amz-meta-long"] == Self.foreign["x-amz-meta-long"])
        #expect(headers["x-amz-meta-stored-files-upload"] != "other")

        let other = try await copied(UploadOptions(ifExists: .replace, metadata: ["b": "2"]))
        #expect(other["x-amz-meta-b"] == "2")
        #expect(other["x-amz-meta-title"] == nil)
    }

    @Test("A copy of a file onto itself sends the metadata of the file")
    func ownCopy() async throws {
        let headers = try await copied(UploadOptions(ifExists: .replace), to: name.string)
        #expect(headers["x-amz-metadata-directive"] == "REPLACE")
        #expect(headers["x-amz-meta-title"] == Self.foreign["x-amz-meta-title"])
    }

    // MARK: Memory

    @Test("A file whose parts are too large for the memory is refused before anything is sent")
    func memory() async throws {
        let transport = ScriptedTransport.unreachable
        let storage = try ScriptedBucket.amazon(transport)
        let chunks = AsyncStream<ByteBuffer> { $0.finish() }
        let error = await storageError {
            try await storage.upload(
                .stream(chunks, length: 5 << 40),
                to: name,
                options: UploadOptions(ifExists: .replace)
            )
        }
        #expect(error?.code == .tooLarge)
        #expect(error?.message.contains("transfers.memoryBudget") == true)
        #expect(transport.requests.isEmpty)
    }

    @Test("A server that decompresses is asked for the bytes as they are stored")
    func decompression() async throws {
        let transport = transport()
        let storage = try ScriptedBucket.amazon(transport) { $0.server = .cloudflareR2 }
        _ = try await storage.info(for: name)
        _ = try await storage.open(name)
        #expect(transport.requests.map { $0.headers["Accept-Encoding"] } == ["gzip", "gzip"])
        for request in transport.requests {
            #expect(request.headers["Authorization"]?.contains("accept-encoding") == false)
        }
    }
}
