import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Buckets that keep versions", .timeLimit(.minutes(5)))
struct S3VersionTests {
    private let name = StorageName(unchecked: "kept.txt")

    private func storage(_ configure: (inout S3Options) -> Void = { _ in }) async throws -> S3Storage {
        let storage = try await S3World.make(.seaweed).storage(configure)
        var operation = S3Operation("PutBucketVersioning", .put)
        operation.query = [("versioning", "")]
        operation.body = HTTPBody(
            "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Status>Enabled</Status>"
                + "</VersioningConfiguration>"
        )
        try await storage.client.perform(operation) { _ in }
        return storage
    }

    private func text(_ contents: StoredContents) async throws -> String {
        String(buffer: try await contents.collect(upTo: 100))
    }

    @Test("Each version of a file can be read, addressed and deleted")
    func versions() async throws {
        let storage = try await storage()
        let replace = UploadOptions(ifExists: .replace)
        let first = try #require(try await storage.upload(.string("first"), to: name, options: replace).versionID)
        let second = try #require(try await storage.upload(.string("the second"), to: name, options: replace).versionID)
        #expect(first != second)
        #expect(try await storage.info(for: name).versionID == second)
        #expect(try await text(storage.open(name)) == "the second")

        #expect(try await storage.info(for: name, version: first).byteCount == 5)
        #expect(try await text(storage.open(name, version: first)) == "first")
        let part = try await storage.open(name, version: first, options: OpenOptions(range: .last(2)))
        #expect(try await text(part) == "st")
        let url = try await storage.signedURL(for: name, version: first).url
        #expect(try await fetched(url, .get, storage) == (200, "first"))

        let copy = try await storage.copy(name, to: StorageName(unchecked: "copy.txt"))
        #expect(copy.versionID != nil)

        // Deleted without a version it is hidden, and both are still there.
        try await storage.delete(name)
        #expect(try await storage.exists(name) == false)
        #expect(try await text(storage.open(name, version: second)) == "the second")

        try await storage.delete(name, version: first)
        try await storage.delete(name, version: first)
        let gone = await storageError { try await storage.info(for: name, version: first) }
        #expect(gone?.code == .notFound)
        let opened = await storageError { try await storage.open(name, version: first) }
        #expect(opened?.code == .notFound)
        #expect(try await text(storage.open(name, version: second)) == "the second")
    }

    @Test("A multipart upload returns the version that it has made")
    func parts() async throws {
        let storage = try await storage {
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        let body = UploadBody.buffer(ByteBuffer(repeating: 1, count: 6 << 20))
        let file = try await storage.upload(body, to: name, options: UploadOptions(ifExists: .replace))
        #expect(file.versionID != nil)
        #expect(try await storage.info(for: name).versionID == file.versionID)
    }

    @Test("A resumed download of a version requests that version again")
    func resumption() async throws {
        let bytes = ByteBuffer(repeating: 5, count: 1000)
        let asked = Recorder<String>()
        let transport = ScriptedTransport { request in
            asked.append(request.url.components(separatedBy: "?").last ?? "")
            let headers: HTTPHeaders = [
                "ETag": "\"1\"", "Content-Length": request.headers["Range"] == nil ? "1000" : "600",
                "Content-Range": request.headers["Range"] == nil ? "bytes 0-999/1000" : "bytes 400-999/1000",
            ]
            // The first answer ends early.
            let count = request.headers["Range"] == nil ? 400 : 600
            let body = String(repeating: "\u{5}", count: count)
            return ScriptedTransport.Answer(status: 206, body: body, headers: headers)
        }
        let storage = try ScriptedBucket.amazon(transport)
        #expect(try await storage.open(name, version: "v/1").collect(upTo: 1000) == bytes)
        #expect(asked.values == ["versionId=v%2F1", "versionId=v%2F1"])
    }

    private func fetched(
        _ url: String,
        _ method: HTTPRequest.Method,
        _ storage: S3Storage
    ) async throws -> (Int, String) {
        let answer = try await RawUpload.send(method, url, headers: [:], body: "")
        return (answer.status, answer.body)
    }
}
