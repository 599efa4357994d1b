import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Verification of direct uploads", .timeLimit(.minutes(5)))
struct VerificationTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var name = "a.png"
        var bytes: [UInt8]
        var declared: ContentType? = nil
        var size: ClosedRange<Int64> = 1...10_000
        var types: Set<ContentType>? = nil
        var sha256: [UInt8]? = nil
        var code: StorageError.Code?
    }

    static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 0x0D] + Array("IHDR".utf8)
    static let html = Array("<!DOCTYPE html><script>alert(1)</script>".utf8)
    static let large = png + [UInt8](repeating: 1, count: 9000)

    static func cases() throws -> [Case] {
        [
            Case(testDescription: "anything of the right size", bytes: html, code: nil),
            Case(testDescription: "the fewest bytes", bytes: png, size: 16...20, code: nil),
            Case(testDescription: "the most bytes", bytes: png, size: 1...16, code: nil),
            Case(testDescription: "one byte too many", bytes: png, size: 1...15, code: .tooLarge),
            Case(testDescription: "one byte too few", bytes: png, size: 17...20, code: .corrupted),
            Case(testDescription: "nothing", bytes: [], code: .corrupted),
            Case(testDescription: "nothing where that is allowed", bytes: [], size: 0...1, code: nil),
            Case(testDescription: "an accepted type", bytes: png, types: [.jpeg, .png], code: nil),
            Case(testDescription: "HTML that is called PNG", bytes: html, types: [.jpeg, .png], code: .wrongType),
            Case(
                testDescription: "a PNG that is declared as HTML",
                bytes: png,
                declared: .html,
                types: [.png],
                code: .wrongType
            ),
            Case(
                testDescription: "a PNG that is called HTML",
                name: "a.html",
                bytes: png,
                types: [.png],
                code: .wrongType
            ),
            Case(
                testDescription: "the right hash",
                bytes: large,
                types: [.png],
                sha256: try SHA256Hasher.hash(large),
                code: nil
            ),
            Case(testDescription: "another hash", bytes: large, sha256: try SHA256Hasher.hash(png), code: .corrupted),
        ]
    }

    @Test(
        "Verification accepts an upload that is as expected, and deletes another if asked to",
        arguments: try cases(),
        [S3World.Server.swift, .rclone, .seaweed]
    )
    func verification(example: Case, server: S3World.Server) async throws {
        let storage = try await Self.storage(server)
        for deletes in [false, true] {
            let name = try StorageName(validating: "\(UUID().uuidString)/\(example.name)")
            _ = try await storage.upload(
                .bytes(example.bytes),
                to: name,
                options: UploadOptions(ifExists: .replace, contentType: example.declared)
            )
            let error = await storageError {
                let info = try await storage.verifyDirectUpload(
                    name,
                    size: example.size,
                    contentTypes: example.types,
                    sha256: example.sha256,
                    deletesOnFailure: deletes
                )
                #expect(info.byteCount == Int64(example.bytes.count))
                #expect(info.name == name)
            }
            #expect(error?.code == example.code, "\(String(describing: error))")
            let stays = example.code == nil || !deletes
            #expect(try await storage.exists(name) == stays)
        }
    }

    private static func storage(_ server: S3World.Server) async throws -> S3Storage {
        try await S3World.make(server).storage()
    }

    @Test("Verification of a direct upload fails when nothing has arrived")
    func missing() async throws {
        let storage = try await Self.storage(.swift)
        let name = try StorageName(validating: "missing.png")
        let error = await storageError { try await storage.verifyDirectUpload(name, size: 0...10) }
        #expect(error?.code == .notFound)
    }

    @Test("Verification refuses an invalid hash before it looks at the file")
    func hash() async throws {
        let storage = try await Self.storage(.swift)
        let name = try StorageName(validating: "a.png")
        _ = try await storage.upload(.bytes(Self.png), to: name)
        let error = await storageError {
            try await storage.verifyDirectUpload(name, size: 0...1, sha256: [1, 2, 3])
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(try await storage.exists(name))
    }

    @Test("Verification reads one range of a large file and reports a failed deletion")
    func requests() async throws {
        let world = try await S3World.make(.swift)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint)
            let name = try StorageName(validating: "a.png")
            _ = try await storage.upload(.bytes(Self.large), to: name)
            let before = proxy.requests.count
            _ = try await storage.verifyDirectUpload(name, size: 1...10_000, contentTypes: [.png])
            let requests = proxy.requests.dropFirst(before)
            #expect(requests.map(\.method) == ["GET"])
            #expect(requests.first?["Range"] == "bytes=0-4095")

            proxy.script { request, _ in
                request.method == "DELETE" || request.method == "POST" ? .answer(.init(403)) : .pass
            }
            let error = await storageError { try await storage.verifyDirectUpload(name, size: 1...10) }
            #expect(error?.code == .tooLarge)
            #expect((error?.underlying as? StorageError)?.code == .permissionDenied)
        }
    }
}
