import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Tests that this storage does what that of the Python package `async_storages` does.
@Suite("Behaviour of async_storages on S3", .timeLimit(.minutes(5)))
struct ReferenceBehaviourTests {
    @Test("A file on S3 can be stored, addressed, measured and deleted", arguments: S3World.Server.allCases)
    func methods(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage { $0.namePolicy = .ascii }
        let name = try storage.name(for: "test/file.txt")
        let bytes = ByteBuffer(string: "ten bytes.")

        #expect(try await storage.size(of: name) == 0)
        let file = try await storage.upload(.buffer(bytes), to: name, options: UploadOptions(ifExists: .replace))
        #expect(file.name == name)
        #expect(name.string == "test/file.txt")
        #expect(try await storage.url(for: name).hasSuffix("/test/file.txt"))
        #expect(try await storage.size(of: name) == 10)
        #expect(try await storage.open(name).collect(upTo: 100) == bytes)
        let info = try await storage.info(for: name)
        #expect(info.contentType == .plainText)

        // Uploading again replaces, as there, when that is asked for.
        _ = try await storage.upload(.string("other"), to: name, options: UploadOptions(ifExists: .replace))
        #expect(try await storage.size(of: name) == 5)

        try await storage.delete(name)
        #expect(try await storage.size(of: name) == 0)
        try await storage.delete(name)
        let error = await storageError { try await storage.open(name) }
        #expect(error?.code == .notFound)
    }

    @Test(
        "Bytes and metadata of a file on S3 come back unchanged",
        arguments: [S3World.Server.swift, .rclone, .seaweed]
    )
    func roundTrip(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage()
        let name = try StorageName(validating: "round/trip.bin")
        let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try await storage.upload(
            .bytes(bytes),
            to: name,
            options: UploadOptions(contentType: "application/x-own", metadata: ["owner": "7", "Note": "two words"])
        )
        let contents = try await storage.open(name)
        #expect(contents.info.contentType == "application/x-own")
        #expect(contents.info.metadata["owner"] == "7")
        #expect(contents.info.metadata["note"] == "two words")
        #expect(try await contents.collect(upTo: bytes.count) == ByteBuffer(bytes: bytes))
    }

    @Test("The content type follows from the name, or else is application/octet-stream")
    func contentTypes() async throws {
        let storage = try await S3World.make(.swift).storage()
        for (text, type) in [("a.png", ContentType.png), ("a.unknown-kind", .octetStream), ("b", .octetStream)] {
            let name = try StorageName(validating: text)
            _ = try await storage.upload(.string("x"), to: name)
            #expect(try await storage.info(for: name).contentType == type)
        }
    }

    @Test(
        "The argument querystringAuth signs URLs, with each parameter once",
        arguments: [S3World.Server.swift, .rclone, .seaweed]
    )
    func querystringAuth(server: S3World.Server) async throws {
        let storage = try await S3World.make(server).storage(querystringAuth: true)
        let url = try await storage.url(for: StorageName(validating: "test/file.txt"))
        for parameter in [
            "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
            "X-Amz-Signature",
        ] {
            #expect(url.components(separatedBy: parameter + "=").count == 2, "\(parameter)")
        }
        #expect(url.contains("X-Amz-Expires=3600&"))
    }

    @Test("URLs use the custom domain, with http when useSSL is false")
    func customDomain() async throws {
        let storage = try await S3World.make(.swift).storage(customDomain: "cdn.example.com")
        let url = try await storage.url(for: StorageName(validating: "test/file.txt"))
        #expect(url == "http://cdn.example.com/test/file.txt")
    }

    static let names: [(String, String?)] = [
        ("../../weird ../file name.txt", "weird/file_name.txt"), ("a//b/", "a/b"), (".env", "env"),
        ("日本.txt", "txt"), ("test/file.txt", "test/file.txt"), ("", nil),
        // Python drops the letter with its accent, and makes "caf.png".
        ("café.png", "cafe.png"),
        // Python makes the key ".".
        ("/", nil),
    ]

    @Test("The name policy ascii makes the same names as async_storages", arguments: names)
    func naming(original: String, expected: String?) throws {
        var options = S3Options()
        options.namePolicy = .ascii
        let storage = try S3Storage(bucketName: "fake-bucket", endpointURL: "fake-endpoint-url", options: options)
        do {
            let name = try storage.name(for: original)
            #expect(name.string == expected)
        } catch let error as StorageError {
            #expect(expected == nil, "\(error)")
            #expect(error.code == .invalidName)
        }
    }

    struct Default: Sendable {
        var argument: String
        var isKept: @Sendable (S3Storage, _ url: String, _ upload: HTTPHeaders) -> Bool
    }

    static let defaults = [
        Default(argument: "bucketName has none") { storage, _, _ in storage.bucketName == "media" },
        Default(argument: "endpointURL: Amazon S3") { _, url, _ in url.contains("://media.s3.amazonaws.com/") },
        Default(argument: "accessKeyID: from elsewhere") { storage, _, _ in !storage.client.isAnonymous },
        Default(argument: "secretAccessKey: from elsewhere") { storage, _, _ in !storage.client.isAnonymous },
        Default(argument: "region: us-east-1") { storage, _, _ in
            storage.client.addressing.region.name == "us-east-1"
        },
        Default(argument: "useSSL: true") { storage, url, _ in
            storage.client.isSecure && url.hasPrefix("https://")
        },
        Default(argument: "defaultACL: none") { _, _, upload in upload["x-amz-acl"] == nil },
        Default(argument: "customDomain: none") { _, url, _ in url == "https://media.s3.amazonaws.com/k" },
        Default(argument: "querystringAuth: false") { _, url, _ in !url.contains("?") },
    ]

    @Test("The nine arguments of S3Storage have the defaults of async_storages")
    func defaultsOfArguments() async {
        // In a process of its own: variables of the environment take the place of defaults, and other tests run here.
        await #expect(processExitsWith: .success) {
            for variable in ProcessInfo.processInfo.environment.keys where variable.hasPrefix("AWS_") {
                unsetenv(variable)
            }
            let storage = try S3Storage(bucketName: "media")
            let name = try StorageName(validating: "k")
            let url = try await storage.url(for: name)
            let upload = try storage.creationParameters(name, UploadOptions()).creationHeaders(isSecure: true)
            for example in ReferenceBehaviourTests.defaults {
                #expect(example.isKept(storage, url, upload), "\(example.argument)")
            }
        }
    }

    @Test("The argument useSSL sets the scheme, endpointURL the host and defaultACL the ACL")
    func arguments() async throws {
        let storage = try S3Storage(
            bucketName: "media",
            // Python refuses every host that begins so.
            endpointURL: "httpd.lan:9000/",
            accessKeyID: "a",
            secretAccessKey: "b",
            region: "eu-central-1",
            useSSL: false,
            defaultACL: .publicRead
        )
        let name = try StorageName(validating: "k")
        #expect(try await storage.url(for: name) == "http://httpd.lan:9000/media/k")
        #expect(storage.client.addressing.region.name == "eu-central-1")
        let headers = try storage.creationParameters(name, UploadOptions()).creationHeaders(isSecure: false)
        #expect(headers["x-amz-acl"] == "public-read")
        let half = await storageError { try S3Storage(bucketName: "media", accessKeyID: "a") }
        #expect(half?.code == .invalidConfiguration)
        // Python refuses an endpoint with a scheme, which here takes precedence over the argument.
        for (scheme, useSSL) in [("http", true), ("https", false)] {
            let explicit = try S3Storage(
                bucketName: "media",
                endpointURL: "\(scheme)://h",
                accessKeyID: "a",
                secretAccessKey: "b",
                useSSL: useSSL
            )
            #expect(try await explicit.url(for: name) == "\(scheme)://h/media/k")
            #expect(explicit.client.isSecure == (scheme == "https"))
        }
    }
}
