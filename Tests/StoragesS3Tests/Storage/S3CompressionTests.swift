import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesGzip
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Compressed uploads", .timeLimit(.minutes(3)))
struct S3CompressionTests {
    private let name = StorageName(unchecked: "site/style.css")
    private let replace = UploadOptions(ifExists: .replace)
    private let text = String(repeating: "body { margin: 0 }\n", count: 20_000)

    @Test(
        "A compressed upload is stored as gzip and decodes to the same bytes",
        arguments: [S3World.Server.swift, .seaweed, .seaweedOverTLS]
    )
    func stored(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage { $0.compression = S3Compression(.gzip) }
        let uploaded = try await storage.upload(.string(text), to: name, options: replace)
        #expect(uploaded.byteCount == Int64(text.utf8.count))
        #expect(uploaded.sha256Hex == (try SHA256Hasher.hash(text).hexadecimal))

        let info = try await storage.info(for: name)
        #expect(info.contentEncoding == "gzip")
        #expect(info.contentType == "text/css")
        #expect(info.byteCount < uploaded.byteCount / 20)
        #expect(info.entityTag == uploaded.entityTag)

        // Whoever knows nothing of it sees the stored bytes.
        let raw = try await world.storage().open(name)
        #expect(raw.info.contentEncoding == "gzip")
        let stored = try await raw.collect(upTo: 1 << 20)
        #expect(Int64(stored.readableBytes) == info.byteCount)
        #expect(stored.getInteger(at: 0, as: UInt16.self) == 0x1F8B)
        let decoded = try await storage.open(name).decoded(by: .gzip).collect(upTo: 1 << 20)
        #expect(String(buffer: decoded) == text)

        // What is on the server takes its coding along.
        let copy = try await storage.copy(name, to: StorageName(unchecked: "copy.css"), options: replace)
        #expect(try await storage.info(for: copy.name).contentEncoding == "gzip")
    }

    @Test("The program curl decompresses a compressed upload")
    func client() async throws {
        let world = try await S3World.make(.swift)
        let storage = try world.storage(querystringAuth: true) { $0.compression = S3Compression(.gzip) }
        _ = try await storage.upload(.string(text), to: name, options: replace)
        let url = try await storage.url(for: name)
        let curl = try await TestProgram.run("curl", ["-sS", "--fail", "--compressed", url])
        #expect(curl.status == 0 && curl.output == text)
    }

    @Test(
        "Uploads of the chosen types are compressed unless they already have a coding",
        arguments: [
            ("a.css", nil, nil, "gzip"),
            ("a.js", nil, nil, "gzip"),
            ("a.svg", nil, nil, "gzip"),
            ("a.css", "text/css; charset=utf-8", nil, "gzip"),
            ("a", "application/x-javascript", nil, "gzip"),
            ("a.html", nil, nil, nil),
            ("a.png", nil, nil, nil),
            ("a", nil, nil, nil),
            ("a.css", "application/octet-stream", nil, nil),
            ("a.css", nil, "br", "br"),
        ] as [(String, String?, String?, String?)]
    )
    func types(name: String, type: String?, coding: String?, expected: String?) async throws {
        let transport = ScriptedTransport { _ in .init(status: 200, body: "", headers: ["ETag": "\"1\""]) }
        let storage = try ScriptedBucket.amazon(transport) {
            $0.compression = S3Compression(.gzip)
            $0.objectParameters.contentEncoding = coding
        }
        var options = replace
        options.contentType = type.flatMap { ContentType($0) }
        _ = try await storage.upload(.string(text), to: StorageName(unchecked: name), options: options)
        let request = try #require(transport.requests.last)
        #expect(request.headers["Content-Encoding"] == expected)
        #expect((request.body.byteCount < text.utf8.count) == (expected == "gzip"))
    }

    @Test("Uploads of custom types and empty uploads can be compressed")
    func others() async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.compression = S3Compression(.gzip(level: 9), types: ["text/html"])
        }
        let page = StorageName(unchecked: "a.html")
        for body in ["", text] {
            let uploaded = try await storage.upload(.string(body), to: page, options: replace)
            #expect(uploaded.byteCount == Int64(body.utf8.count))
            #expect(try await storage.info(for: page).contentEncoding == "gzip")
            let decoded = try await storage.open(page).decoded(by: .gzip).collect(upTo: 1 << 20)
            #expect(String(buffer: decoded) == body)
        }
        _ = try await storage.upload(.string(text), to: name, options: replace)
        #expect(try await storage.info(for: name).contentEncoding == nil)
        #expect(try await String(buffer: storage.open(name).decoded(by: .gzip).collect(upTo: 1 << 20)) == text)
    }

    @Test(
        "A large compressed upload is a multipart upload with progress in uncompressed bytes",
        arguments: [true, false]
    )
    func parts(isLengthKnown: Bool) async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.compression = S3Compression(.gzip(level: 1))
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
            $0.transfers.partSizeOfUnknownLength = 5 << 20
        }
        // Digits: more than half of each byte is order that can be left out. What came a mebibyte ago gzip does not
        // know.
        let digits = ByteBuffer(bytes: (0..<(1 << 20)).map { _ in UInt8.random(in: 48...57) })
        let chunks = [ByteBuffer](repeating: digits, count: 20)
        let count: Int64 = 20 << 20
        let hasher = try SHA256Hasher()
        for chunk in chunks { hasher.update(chunk) }
        let sha256 = try hasher.finish()

        let seen = NIOLockedValueBox<[TransferProgress]>([])
        var options = replace
        options.progress = { progress in seen.withLockedValue { $0.append(progress) } }
        let stream = AsyncStream { continuation in
            for chunk in chunks { continuation.yield(chunk) }
            continuation.finish()
        }
        let uploaded = try await storage.upload(
            .stream(stream, length: isLengthKnown ? count : nil),
            to: name,
            options: options
        )
        #expect(uploaded.byteCount == count)
        #expect(uploaded.sha256 == sha256)
        let info = try await storage.info(for: name)
        #expect(info.contentEncoding == "gzip")
        #expect(info.byteCount < count * 6 / 10 && info.byteCount > 5 << 20)
        let decodedHasher = try SHA256Hasher()
        for try await chunk in try await storage.open(name).decoded(by: .gzip) { decodedHasher.update(chunk) }
        #expect(try decodedHasher.finish() == sha256)

        let progress = seen.withLockedValue { $0 }
        #expect(progress.count >= 3)
        // All parts are there before the file is.
        #expect(progress.dropLast().last?.completedBytes == count)
        #expect(zip(progress, progress.dropFirst()).allSatisfy { $0.completedBytes <= $1.completedBytes })
        #expect(progress.dropLast().allSatisfy { $0.totalBytes == (isLengthKnown ? count : nil) })
        #expect(progress.last == TransferProgress(completedBytes: count, totalBytes: count))
    }

    @Test("A compressed upload respects size limits and conditions")
    func conditions() async throws {
        let storage = try await S3World.make(.seaweed).storage { $0.compression = S3Compression(.gzip) }
        var limited = UploadOptions(ifExists: .fail)
        limited.maxBytes = 1000
        let tooLarge = await storageError { try await storage.upload(.string(text), to: name, options: limited) }
        #expect(tooLarge?.code == .tooLarge)
        #expect(try await storage.exists(name) == false)

        let fail = UploadOptions(ifExists: .fail)
        _ = try await storage.upload(.string(text), to: name, options: fail)
        let taken = await storageError { try await storage.upload(.string("b"), to: name, options: fail) }
        #expect(taken?.code == .alreadyExists)
        let renamed = try await storage.upload(.string("b"), to: name, options: UploadOptions())
        #expect(renamed.name != name)
        #expect(try await storage.info(for: renamed.name).contentEncoding == "gzip")
        #expect(try await String(buffer: storage.open(name).decoded(by: .gzip).collect(upTo: 1 << 20)) == text)
    }
}
