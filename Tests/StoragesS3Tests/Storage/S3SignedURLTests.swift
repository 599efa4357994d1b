import Foundation
import Logging
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Signed URLs of files in S3", .timeLimit(.minutes(5)))
struct S3SignedURLTests {
    private let name = StorageName(unchecked: "ä b.txt")

    @Test("A signed URL reads, inspects or deletes a file with its own method only", arguments: S3World.Server.allCases)
    func methods(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        _ = try await storage.upload(.string("hello"), to: name, options: UploadOptions(ifExists: .replace))
        func send(_ method: HTTPRequest.Method, _ url: S3SignedURL) async throws -> Int {
            try await RawUpload.send(method, url.url, headers: [:], body: "", trusting: world.server.caFile).status
        }
        let get = try await storage.signedURL(for: name)
        let head = try await storage.signedURL(for: name, method: .head)
        let delete = try await storage.signedURL(
            for: name,
            method: .delete,
            options: URLOptions(lifetime: .seconds(60))
        )
        #expect(try await send(.get, get) == 200)
        #expect(try await send(.head, head) == 200)
        #expect(try await send(.delete, get) == 403)
        #expect(try await storage.exists(name))
        #expect((200...204).contains(try await send(.delete, delete)))
        #expect(try await storage.exists(name) == false)
        #expect(abs(delete.expiration.timeIntervalSinceNow - 60) < 30)
        #expect(abs(get.expiration.timeIntervalSinceNow - 3600) < 30)
    }

    @Test("A signed URL overrides every header of the response")
    func overrides() async throws {
        let world = try await S3World.make(.swift)
        let storage = try world.storage()
        _ = try await storage.upload(.string("hello"), to: name, options: UploadOptions(ifExists: .replace))
        var overrides = S3ResponseOverrides()
        overrides.cacheControl = "no-store"
        overrides.contentLanguage = "de"
        overrides.expires = "Thu, 01 Dec 2044 16:00:00 GMT"
        overrides.contentType = "text/x-own"
        let url = try await storage.signedURL(
            for: name,
            overrides: overrides,
            options: URLOptions(contentDisposition: ContentDisposition.inline(filename: "ä.txt"))
        )
        var request = HTTPRequest(method: .get, url: url.url, headers: [:])
        request.timeout = .seconds(30)
        let headers = try await CurlTransport(CurlSettings()).send(request).headers
        #expect(headers["Cache-Control"] == "no-store")
        #expect(headers["Content-Language"] == "de")
        #expect(headers["Expires"] == overrides.expires)
        #expect(headers["Content-Type"]?.hasPrefix("text/x-own") == true)
        #expect(headers["Content-Disposition"] == ContentDisposition.inline(filename: "ä.txt"))
        let error = await storageError {
            try await storage.signedURL(for: name, method: .delete, overrides: overrides)
        }
        #expect(error?.code == .invalidURL)
    }

    @Test("A signed URL says who pays, and is refused for customer keys")
    func parameters() async throws {
        let paying = try ScriptedBucket.amazon(ScriptedTransport.unreachable) {
            $0.objectParameters.requesterPays = true
        }
        #expect(try await paying.signedURL(for: name).url.contains("&x-amz-request-payer=requester&"))
        let lifetime = URLOptions(lifetime: .seconds(60))
        #expect(try await paying.url(for: name, options: lifetime).contains("&x-amz-request-payer=requester&"))
        let key = try S3CustomerKey([UInt8](repeating: 1, count: 32))
        let encrypted = try ScriptedBucket.amazon(ScriptedTransport.unreachable) {
            $0.objectParameters.encryption = .customerKey(key)
        }
        for error in [
            await storageError { try await encrypted.signedURL(for: name) },
            await storageError { try await encrypted.url(for: name, options: lifetime) },
        ] {
            #expect(error?.code == .unsupported)
        }
        #expect(try await encrypted.signedURL(for: name, method: .delete).method == .delete)
    }

    private struct Fading: S3CredentialProvider {
        let end: Date

        func credentials() async throws -> S3Credentials? {
            S3Credentials(accessKeyID: "ASIA", secretAccessKey: "s", sessionToken: "t", expiration: end)
        }
    }

    @Test("A signed URL expires with the credentials, and a warning is logged")
    func cutShort() async throws {
        let end = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + 900).rounded())
        let warnings = NIOLockedValueBox<[String]>([])
        var setup = ScriptedBucket.setup(endpoint: nil, useSSL: true) {
            $0.credentialProvider = Fading(end: end)
            $0.logger = Logger(label: "test") { _ in WarningHandler(warnings: warnings) }
        }
        setup.accessKeyID = nil
        setup.secretAccessKey = nil
        let storage = try S3Storage(setup, transport: ScriptedTransport.unreachable)
        #expect(try await storage.signedURL(for: name).expiration == end)
        #expect(try await storage.directUpload(to: name).expiration == end)
        #expect(try await storage.directUploadForm(to: name, size: 1...2).expiration == end)
        #expect(warnings.withLockedValue { $0.count } == 3)
        _ = try await storage.signedURL(for: name, options: URLOptions(lifetime: .seconds(60)))
        #expect(warnings.withLockedValue { $0.count } == 3)
    }

    private struct WarningHandler: LogHandler {
        let warnings: NIOLockedValueBox<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            if event.level == .warning { warnings.withLockedValue { $0.append("\(event.message)") } }
        }
    }

    @Test("The description of a signed URL does not show its signature")
    func description() async throws {
        let url = try await ScriptedBucket.amazon(ScriptedTransport.unreachable).signedURL(for: name)
        var dumped = ""
        dump(url, to: &dumped)
        for text in ["\(url)", String(reflecting: url), dumped] {
            #expect(text.contains("S3SignedURL(GET https://"))
            #expect(!text.contains("X-Amz"))
        }
    }

    @Test("A signed URL of CloudFront may have conditions of its own")
    func cloudFront() async throws {
        let pem = try RecordedCases.text("cloudfront-test-key.pem")
        var setup = ScriptedBucket.setup(endpoint: nil, useSSL: true) {
            $0.cloudFront = CloudFrontKey(keyID: "K2EXAMPLE", privateKey: pem)
        }
        setup.customDomain = "d111.cloudfront.net"
        let storage = try S3Storage(setup, transport: ScriptedTransport.unreachable)
        let end = Date(timeIntervalSince1970: 2_000_000_000)
        let canned = try storage.cloudFrontURL(for: name, until: end)
        #expect(canned.contains("?Expires=2000000000&Signature="))
        let custom = try storage.cloudFrontURL(for: name, until: end, addresses: "192.0.2.0/24")
        let policy = try #require(custom.components(separatedBy: "Policy=").last?.components(separatedBy: "&").first)
        let base64 = policy.replacing("-", with: "+").replacing("_", with: "=").replacing("~", with: "/")
        let json = String(decoding: try #require(Data(base64Encoded: base64)), as: UTF8.self)
        #expect(json.contains("\"AWS:SourceIp\":\"192.0.2.0/24\""))
        #expect(json.contains("d111.cloudfront.net/%C3%A4%20b.txt"))
        let plain = try ScriptedBucket.amazon(ScriptedTransport.unreachable)
        #expect(throws: StorageError.self) { try plain.cloudFrontURL(for: name, until: end) }
    }
}
