import Foundation
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesS3

@Suite("Control characters in headers", .timeLimit(.minutes(2)))
struct HeaderInjectionTests {
    static let name = StorageName(unchecked: "file")

    static let controls = ["v\r\nX-Evil: 1", "v\nX-Evil: 1", "v\r", "v\0w", "v\u{7F}w", "\tv"]

    /// Looks at bytes: to a string, a line break of two characters is another one than that of one.
    private static func hasControls(_ text: String) -> Bool { text.utf8.contains { HeaderValidation.isControl($0) } }

    /// The place at which a user's text goes into the head of a request.
    enum Place: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case metadataValue, metadataName, contentType, contentDisposition, contentEncoding, contentLanguage,
            cacheControl
        case grantRead, grantReadACP, grantWriteACP, grantFullControl, redirect, storageClass, encryptionKey, owner
        case token, header, headerName, userAgent
        // An ACL is one of a few words, and a source is a name, unless they are given as fields.
        case acl, copySource

        var testDescription: String { rawValue }

        /// A Boolean value that indicates whether an error has to quote the text.
        var isName: Bool { self == .metadataName || self == .headerName }

        func set(_ options: inout S3Options, to text: String) {
            switch self {
            case .metadataValue: options.objectParameters.metadata = ["a": text]
            case .metadataName: options.objectParameters.metadata = [text: "a"]
            case .contentType: options.objectParameters.contentType = text
            case .contentDisposition: options.objectParameters.contentDisposition = text
            case .contentEncoding: options.objectParameters.contentEncoding = text
            case .contentLanguage: options.objectParameters.contentLanguage = text
            case .cacheControl: options.objectParameters.cacheControl = text
            case .grantRead: options.objectParameters.grants = S3Grants(read: text)
            case .grantReadACP: options.objectParameters.grants = S3Grants(readACP: text)
            case .grantWriteACP: options.objectParameters.grants = S3Grants(writeACP: text)
            case .grantFullControl: options.objectParameters.grants = S3Grants(fullControl: text)
            case .redirect: options.objectParameters.websiteRedirectLocation = text
            case .storageClass: options.objectParameters.storageClass = S3StorageClass(rawValue: text)
            case .encryptionKey: options.objectParameters.encryption = .kms(keyID: text)
            case .owner: options.objectParameters.expectedBucketOwner = text
            case .token: options.sessionToken = text
            case .header: options.defaultHeaders = ["X-Own": text]
            case .headerName: options.defaultHeaders = [text: "a"]
            case .userAgent: options.userAgent = text
            case .acl: options.defaultHeaders = ["x-amz-acl": text]
            case .copySource: options.defaultHeaders = ["x-amz-copy-source": text]
            }
        }
    }

    @Test(
        "Text with control characters for a header is refused before anything is sent",
        arguments: Place.allCases,
        controls
    )
    func refusal(place: Place, text: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200, "", [("ETag", "\"e\"")]) }
            let error = await #expect(throws: StorageError.self) {
                let storage = try ScriptedBucket.storage(proxy) { place.set(&$0, to: text) }
                _ = try await storage.upload(.string("x"), to: Self.name, options: UploadOptions(ifExists: .replace))
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.description.contains("Evil: 1") == false || place.isName)
            #expect(error.map { Self.hasControls($0.description) } == false)
            #expect(proxy.connections.isEmpty)
            #expect(proxy.requests.isEmpty)
        }
    }

    @Test("Text without control characters is sent in the header that it is given for", arguments: Place.allCases)
    func acceptance(place: Place) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200, "", [("ETag", "\"e\"")]) }
            let storage = try ScriptedBucket.storage(proxy) { place.set(&$0, to: "v-w") }
            _ = try await storage.upload(.string("x"), to: Self.name, options: UploadOptions(ifExists: .replace))
            let request = try #require(proxy.requests.first)
            #expect(request.headers.contains { $0.name.contains("v-w") || $0.value.contains("v-w") })
        }
    }

    @Test("A name with control characters is refused by every operation", arguments: controls)
    func names(text: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200, "", [("ETag", "\"e\"")]) }
            let storage = try ScriptedBucket.storage(proxy)
            let bad = StorageName(unchecked: text)
            let options = UploadOptions(ifExists: .replace)
            let operations: [(String, () async throws -> Void)] = [
                ("copy from", { _ = try await storage.copy(bad, to: Self.name, options: options) }),
                ("copy to", { _ = try await storage.copy(Self.name, to: bad, options: options) }),
                ("upload", { _ = try await storage.upload(.string("x"), to: bad, options: options) }),
                ("open", { _ = try await storage.open(bad) }),
                ("info", { _ = try await storage.info(for: bad) }),
                ("delete", { for failure in try await storage.delete([bad]) { throw failure.error } }),
            ]
            for (name, operation) in operations {
                let error = await #expect(throws: StorageError.self, "\(name)") { try await operation() }
                #expect(error?.code == .invalidName, "\(name)")
                #expect(error.map { Self.hasControls($0.description) } == false, "\(name)")
            }
            #expect(proxy.connections.isEmpty)

            // A name that got past that would still be encoded.
            let source = storage.client.addressing.copySource(forKey: text)
            #expect(!Self.hasControls(source))
            #expect(source.removingPercentEncoding == "bucket/" + text)
        }
    }

    @Test("Upload options with control characters are refused", arguments: ["v\r\nX-Evil: 1", "v\0w"])
    func upload(text: String) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.answer(200, "", [("ETag", "\"e\"")]) }
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
