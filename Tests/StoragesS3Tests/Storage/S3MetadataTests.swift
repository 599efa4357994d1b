import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Metadata on real servers", .timeLimit(.minutes(5)))
struct S3MetadataTests {
    static let values = ["title": "Überblick – 100 % 日本", "plain": "a b", "code": "100%25", "empty": ""]

    private func storage(_ server: S3World.Server) async throws -> S3Storage {
        try await S3World.make(server).storage {
            $0.metadataEncoding = .percent
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
    }

    @Test(
        "Encoded metadata comes back from single uploads, multipart uploads and copies",
        arguments: [S3World.Server.swift, .rclone]
    )
    func roundTrip(server: S3World.Server) async throws {
        let storage = try await storage(server)
        // Of metadata without a value rclone keeps nothing.
        let values = Self.values.filter { server == .swift || !$0.value.isEmpty }
        for byteCount in [3, 6 << 20] {
            let name = try StorageName(validating: "m/\(byteCount)")
            let body = UploadBody.buffer(ByteBuffer(repeating: 7, count: byteCount))
            _ = try await storage.upload(body, to: name, options: UploadOptions(metadata: values))
            #expect(try await storage.info(for: name).metadata == values)
            #expect(try await storage.open(name, options: OpenOptions(range: .first(1))).info.metadata == values)
            // rclone's copies have no metadata, whatever is asked for.
            guard server == .swift else { continue }
            let copy = try await storage.copy(name, to: StorageName(validating: "m/copy-\(byteCount)"))
            #expect(try await storage.info(for: copy.name).metadata == values)
        }
    }

    @Test("A direct upload signs metadata in its encoded form")
    func directUpload() async throws {
        let storage = try await storage(.swift)
        let name = try StorageName(validating: "direct")
        let upload = try await storage.directUpload(
            to: name,
            options: DirectUploadOptions(metadata: ["Title": "Größe"])
        )
        #expect(upload.headers["x-amz-meta-title"] == "Gr%C3%B6%C3%9Fe")
        let answer = try await RawUpload.send(.put, upload.url, headers: upload.headers, body: "x")
        #expect(answer.status == 200, "\(answer.body)")
        #expect(try await storage.info(for: name).metadata == ["title": "Größe"])
    }

    @Test("Metadata that is not ASCII is refused unless it is to be encoded")
    func refused() async throws {
        let storage = try await S3World.make(.swift).storage()
        let name = try StorageName(validating: "refused")
        let error = await storageError {
            try await storage.upload(.string("x"), to: name, options: UploadOptions(metadata: ["title": "Größe"]))
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("metadataEncoding") == true)
        #expect(try await storage.exists(name) == false)
    }
}
