import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Keys of all kinds", .timeLimit(.minutes(3)))
struct KeyRoundTripTests {
    /// Keys that a name of a file may be.
    static let names = [
        "a b", "a+b", "p%q", "p%2Fq", "ሴ", "q?r", "x&y=z", "<x>&\"", "~-._!$'()*,;:@", "j.", " k", "#l",
        Array(repeating: String(repeating: "m", count: 204), count: 5).joined(separator: "/"),
    ]
    /// Keys that others may have written, and that no name of a file may be.
    static let others = ["c/./d", "e/../f", "//g", "h//i", "j/", "n\nm", "o\r\np"]

    @Test("A key with unusual characters survives every operation on a file", arguments: names)
    func roundTrip(key: String) async throws {
        let world = try await S3World.make()
        let storage = try world.storage(querystringAuth: true)
        let name = try StorageName(validating: key)
        let text = "The bytes of \(key)"
        #expect(
            try await storage.upload(.string(text), to: name, options: UploadOptions(ifExists: .replace)).name == name
        )
        #expect(try await storage.open(name).collect(upTo: 1 << 20) == ByteBuffer(string: text))
        #expect(try await storage.info(for: name).byteCount == Int64(text.utf8.count))
        #expect(try await listed(storage) == [key])
        #expect(try await storage.listedKeys(prefix: key) == [key])

        let signed = try await storage.url(for: name)
        #expect(try await fetched(.get, signed).body == ByteBuffer(string: text))

        let copy = try StorageName(validating: "copy of it")
        _ = try await storage.copy(name, to: copy, options: UploadOptions(ifExists: .replace))
        #expect(try await storage.open(copy).collect(upTo: 1 << 20) == ByteBuffer(string: text))
        // Back again, so that the odd key is the destination, too; what is there already is another text.
        let other = try await storage.upload(.string("other"), to: copy, options: UploadOptions(ifExists: .replace))
        _ = try await storage.copy(copy, to: name, options: UploadOptions(ifExists: .replace))
        #expect(try await storage.open(name).collect(upTo: 1 << 20) == ByteBuffer(string: "other"))
        #expect(try await storage.info(for: name).byteCount == other.byteCount)
        #expect(try await listed(storage).sorted() == [key, copy.string].sorted())
        #expect(try await storage.delete([name, copy]).isEmpty)
        #expect(try await listed(storage).isEmpty)
    }

    @Test("A key that is no name of a file goes over the wire unchanged", arguments: others)
    func wireForm(key: String) async throws {
        let world = try await S3World.make()
        let storage = try world.storage(querystringAuth: true)
        let client = storage.client
        let text = "The bytes of \(key)"

        // By a signed URL, as a browser would.
        let addressing = client.addressing
        let url = try SigV4Signer(region: addressing.region.name).presignedURL(
            PresignedURL.Request(
                method: .put,
                origin: addressing.origin,
                path: addressing.path(forKey: key),
                lifetime: .seconds(60)
            ),
            with: try await client.currentCredentials(),
            at: .now
        ).url
        #expect(try await fetched(.put, url, HTTPBody(text)).status == 200)

        let body = try await client.open(S3Operation("GetObject", .get, key: key)).collected(upTo: 1 << 20).body
        #expect(body == ByteBuffer(string: text))
        let size = try await client.perform(S3Operation("HeadObject", .head, key: key)) { $0.headers["Content-Length"] }
        #expect(size == String(text.utf8.count))
        #expect(try await listed(storage) == [key])
        let signed = try await storage.urls.url(for: StorageName(unchecked: key), URLOptions(), storage)
        #expect(try await fetched(.get, signed).body == ByteBuffer(string: text))

        var copy = S3Operation("CopyObject", .put, key: key + "copy")
        copy.headers.append("x-amz-copy-source", addressing.copySource(forKey: key))
        _ = try await client.perform(copy) { try CopyObjectResult($0.body) }
        #expect(try await listed(storage).sorted() == [key, key + "copy"].sorted())
        let copied = try await client.open(S3Operation("GetObject", .get, key: key + "copy"))
        #expect(try await copied.collected(upTo: 1 << 20).body == ByteBuffer(string: text))
        try await client.perform(S3Operation("DeleteObject", .delete, key: key)) { _ in }
        try await client.perform(S3Operation("DeleteObject", .delete, key: key + "copy")) { _ in }
        #expect(try await listed(storage).isEmpty)
    }

    @Test("A signed URL names the download with text of any script")
    func disposition() async throws {
        let world = try await S3World.make()
        let storage = try world.storage()
        let name = try StorageName(validating: "report")
        _ = try await storage.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
        let disposition = ContentDisposition.attachment(filename: "Überblick – 日本.pdf")
        #expect(disposition.contains("filename*=UTF-8''%C3%9Cberblick"))
        let url = try await storage.url(
            for: name,
            options: URLOptions(contentDisposition: disposition, contentType: ContentType("application/pdf"))
        )
        let answer = try await fetched(.get, url)
        #expect(answer.status == 200)
        #expect(answer.headers["Content-Disposition"] == disposition)
        #expect(answer.headers["Content-Type"] == "application/pdf")
        // It is signed: nobody makes another name of it.
        #expect(try await fetched(.get, url.replacing("pdf", with: "exe")).status == 403)
    }

    private func listed(_ storage: S3Storage) async throws -> [String] {
        try await storage.listedKeys(prefix: "")
    }

    /// As a browser fetches it: by the URL and nothing else.
    private func fetched(
        _ method: HTTPRequest.Method,
        _ url: String,
        _ body: HTTPBody = HTTPBody()
    ) async throws -> BufferedResponse {
        var request = HTTPRequest(method: method, url: url, headers: [:])
        request.body = body
        return try await CurlTransport(CurlSettings()).collect(request, upTo: 1 << 20)
    }
}

extension S3Storage {
    /// All keys, also those that no file can have.
    func listedKeys(prefix: String) async throws -> [String] {
        let keys = NIOLockedValueBox<[String]>([])
        try await FileListing.reportingForeignKeys(to: { foreign in
            keys.withLockedValue { $0.append(String(decoding: foreign.bytes, as: UTF8.self)) }
        }) {
            for try await info in list(prefix: prefix) { keys.withLockedValue { $0.append(info.name.string) } }
        }
        return keys.withLockedValue { $0 }
    }
}
