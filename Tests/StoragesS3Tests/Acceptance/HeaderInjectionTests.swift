import Storages
import StoredFilesTesting
import Testing

@testable import StoragesS3

@Suite("Controls in what becomes a header", .timeLimit(.minutes(2)))
struct HeaderInjectionTests {
    static let name = StorageName(unchecked: "file")

    /// Where a user's text goes into the head of a request.
    enum Place: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case metadataValue, metadataName, contentDisposition, cacheControl, grant, redirect, storageClass, token, header

        var testDescription: String { rawValue }
    }

    private static func storage(_ proxy: FaultProxy, _ place: Place, _ text: String) throws -> S3Storage {
        try ScriptedBucket.storage(proxy) { options in
            switch place {
            case .metadataValue: options.objectParameters.metadata = ["a": text]
            case .metadataName: options.objectParameters.metadata = [text: "a"]
            case .contentDisposition: options.objectParameters.contentDisposition = text
            case .cacheControl: options.objectParameters.cacheControl = text
            case .grant: options.objectParameters.grants = S3Grants(read: text)
            case .redirect: options.objectParameters.websiteRedirectLocation = text
            case .storageClass: options.objectParameters.storageClass = S3StorageClass(rawValue: text)
            case .token: options.sessionToken = text
            case .header: options.defaultHeaders = ["X-Own": text]
            }
        }
    }

    @Test(
        "are refused before a byte is sent",
        arguments: Place.allCases,
        ["v\r\nX-Evil: 1", "v\nX-Evil: 1", "v\r", "v\0w", "v\u{7F}w", "\tv"]
    )
    func refusal(place: Place, text: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200) }
            let error = await #expect(throws: StorageError.self) {
                let storage = try Self.storage(proxy, place, text)
                _ = try await storage.upload(.string("x"), to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.description.contains("Evil: 1") == false || place == .metadataName)
            #expect(error?.description.contains("\n") == false)
            #expect(proxy.connections.isEmpty)
            #expect(proxy.requests.isEmpty)
        }
    }

    @Test("of an upload's own metadata are refused, too", arguments: ["v\r\nX-Evil: 1", "v\0w"])
    func upload(text: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200) }
            let storage = try ScriptedBucket.storage(proxy)
            for options in [
                UploadOptions(ifExists: .replace, metadata: ["a": text]),
                UploadOptions(ifExists: .replace, contentDisposition: text),
                UploadOptions(ifExists: .replace, cacheControl: text),
                UploadOptions(ifExists: .replace, contentType: ContentType(stringLiteral: "text/" + text)),
            ] {
                let error = await #expect(throws: StorageError.self) {
                    _ = try await storage.upload(.string("x"), to: Self.name, options: options)
                }
                #expect(error?.code == .invalidConfiguration)
            }
            #expect(proxy.connections.isEmpty)
        }
    }

    @Test("An empty value of metadata is signed, sent and kept", arguments: [S3World.Server.swift, .rclone])
    func emptyMetadata(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy in
            let storage = try world.storage(at: proxy.endpoint)
            let options = UploadOptions(ifExists: .replace, metadata: ["empty": "", "full": "x"])
            _ = try await storage.upload(.string("x"), to: Self.name, options: options)
            let put = try #require(proxy.requests.first { $0.method == "PUT" })
            #expect(put["x-amz-meta-empty"] == "")
            #expect(put["Authorization"]?.contains("x-amz-meta-empty;x-amz-meta-full") == true)
            let metadata = try await storage.info(for: Self.name).metadata
            #expect(metadata["full"] == "x")
            #expect(metadata["empty"] == "")
        }
    }
}
