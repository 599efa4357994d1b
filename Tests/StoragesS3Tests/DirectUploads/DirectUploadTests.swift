import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Direct uploads by URL", .timeLimit(.minutes(5)))
struct DirectUploadTests {
    @Test(
        "A direct upload stores a file with the type and metadata that were signed",
        arguments: S3World.Server.allCases
    )
    func upload(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let name = try StorageName(validating: "uploads/Größe 1+1 日本.txt")
        let upload = try await storage.directUpload(
            to: name,
            options: DirectUploadOptions(contentType: "text/plain", metadata: ["Origin": "form"])
        )
        #expect(upload.method == "PUT")
        #expect(upload.headers == ["Content-Type": "text/plain", "x-amz-meta-origin": "form"])
        let answer = try await RawUpload.send(
            .put,
            upload.url,
            headers: upload.headers,
            body: "hello",
            trusting: world.server.caFile
        )
        #expect(answer.status == 200, "\(answer.body)")
        let info = try await storage.verifyDirectUpload(name, size: 1...100, contentTypes: [.plainText])
        #expect(info.byteCount == 5)
        #expect(info.contentType == .plainText)
        #expect(info.metadata["origin"] == "form")
    }

    @Test("A direct upload accepts a file from the program curl")
    func program() async throws {
        let world = try await S3World.make(.swift)
        let storage = try world.storage()
        let name = try StorageName(validating: "a.txt")
        let upload = try await storage.directUpload(to: name)
        let fields = upload.headers.flatMap { ["--header", "\($0.key): \($0.value)"] }
        let result = try await CurlProgram.run(
            ["--fail", "--request", upload.method, "--data-binary", "by curl"] + fields + [upload.url]
        )
        #expect(result.status == 0)
        #expect(try await storage.open(name).collect(upTo: 100) == ByteBuffer(string: "by curl"))
    }

    static let changes: [String: @Sendable (DirectUpload) -> (url: String, headers: [String: String], body: String)] = [
        "another type": { ($0.url, ["Content-Type": "text/html"], "12345") },
        "no type": { ($0.url, [:], "12345") },
        "another key": { ($0.url.replacingOccurrences(of: "a.txt?", with: "b.txt?"), $0.headers, "12345") },
        "another length": { ($0.url, $0.headers, "123456") },
        "another lifetime": {
            ($0.url.replacingOccurrences(of: "X-Amz-Expires=60", with: "X-Amz-Expires=61"), $0.headers, "12345")
        },
    ]

    @Test(
        "A direct upload that differs from what was signed is refused with status 403",
        arguments: changes.keys.sorted(),
        [S3World.Server.swift, .rclone, .seaweed]
    )
    func refused(change: String, server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let name = try StorageName(validating: "a.txt")
        let upload = try await storage.directUpload(
            to: name,
            byteCount: 5,
            options: DirectUploadOptions(lifetime: .seconds(60))
        )
        let make = try #require(Self.changes[change])
        let (url, headers, body) = make(upload)
        let answer = try await RawUpload.send(.put, url, headers: headers, body: body)
        #expect(answer.status == 403, "\(answer.body)")
        #expect(try await storage.exists(name) == false)
        #expect(try await RawUpload.send(.put, upload.url, headers: upload.headers, body: "12345").status == 200)
    }

    @Test("A direct upload works until it expires", arguments: [S3World.Server.swift, .rclone, .seaweed])
    func expired(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let name = try StorageName(validating: "a.txt")
        let options = DirectUploadOptions(lifetime: .seconds(600))
        // rclone says 400 in the place of 403.
        for (age, status) in [(700.0, server == .rclone ? 400 : 403), (30.0, 200)] {
            let date = Date() - age
            let upload = try await storage.directUpload(to: name, options: options, at: date)
            // Signatures count whole seconds.
            #expect((599...600).contains(upload.expiration.timeIntervalSince(date)))
            let answer = try await RawUpload.send(.put, upload.url, headers: upload.headers, body: "x")
            #expect(answer.status == status, "\(age) s old: \(answer.body)")
        }
    }

    @Test(
        "A direct upload that requires absence does not overwrite a file",
        arguments: [S3World.Server.swift, .seaweed]
    )
    func absence(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let name = try StorageName(validating: "a.txt")
        let upload = try await storage.directUpload(to: name, options: DirectUploadOptions(requiresAbsence: true))
        #expect(upload.headers["If-None-Match"] == "*")
        #expect(try await RawUpload.send(.put, upload.url, headers: upload.headers, body: "1").status == 200)
        #expect(try await RawUpload.send(.put, upload.url, headers: upload.headers, body: "2").status == 412)
        // Without the field the signature does not hold.
        var fields = upload.headers
        fields["If-None-Match"] = nil
        #expect(try await RawUpload.send(.put, upload.url, headers: fields, body: "3").status == 403)
        #expect(try await storage.open(name).collect(upTo: 10) == ByteBuffer(string: "1"))
    }

    @Test("A direct upload that requires absence is refused where the server cannot check it")
    func noCondition() async throws {
        let storage = try await S3World.make(.rclone).storage()
        let name = try StorageName(validating: "a.txt")
        let error = await storageError {
            try await storage.directUpload(to: name, options: DirectUploadOptions(requiresAbsence: true))
        }
        #expect(error?.code == .unsupported)
    }

    private func offline(_ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        var options = S3Options()
        configure(&options)
        let keys = options.isAnonymous ? nil : "AKIAEXAMPLE"
        return try S3Storage(
            bucketName: "b",
            endpointURL: "s3.example.org",
            accessKeyID: keys,
            secretAccessKey: keys,
            region: "eu-central-1",
            options: options
        )
    }

    private let name = StorageName(unchecked: "a b.jpg")

    @Test("Direct uploads use the public endpoint and carry the storage's object parameters")
    func publicEndpoint() async throws {
        let storage = try offline {
            $0.publicEndpointURL = "http://files.example.org:8080"
            $0.objectParameters.cacheControl = "no-store"
            $0.objectParameters.acl = .publicRead
            $0.urlLifetime = .seconds(300)
        }
        let upload = try await storage.directUpload(to: name, byteCount: 7)
        #expect(upload.url.hasPrefix("http://files.example.org:8080/b/a%20b.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&"))
        #expect(upload.url.contains("eu-central-1%2Fs3%2Faws4_request"))
        #expect(upload.url.contains("X-Amz-Expires=300&"))
        #expect(
            upload.url.contains("X-Amz-SignedHeaders=cache-control%3Bcontent-length%3Bcontent-type%3Bhost%3Bx-amz-acl&")
        )
        #expect(
            upload.headers == ["Cache-Control": "no-store", "Content-Type": "image/jpeg", "x-amz-acl": "public-read"]
        )
        let form = try await storage.directUploadForm(to: name, size: 0...9)
        #expect(form.url == "http://files.example.org:8080/b")
    }

    @Test("A direct upload has a lifetime of 1 second to 7 days", arguments: [0, 1, -1, 604_800, 604_801])
    func lifetimes(seconds: Int) async throws {
        let storage = try offline()
        let options = DirectUploadOptions(lifetime: .seconds(seconds))
        let byURL = await storageError { try await storage.directUpload(to: name, options: options) }
        let byForm = await storageError { try await storage.directUploadForm(to: name, size: 0...1, options: options) }
        let isGood = (1...604_800).contains(seconds)
        #expect(byURL?.code == (isGood ? nil : .invalidURL))
        #expect(byForm?.code == (isGood ? nil : .invalidURL))
    }

    @Test("A direct upload expires with the credentials that signed it")
    func credentialsEnd() async throws {
        struct Provider: S3CredentialProvider {
            let end = Date() + 1800
            func credentials() async throws -> S3Credentials? {
                S3Credentials(accessKeyID: "AKIA", secretAccessKey: "s", sessionToken: "hush", expiration: end)
            }
        }
        let provider = Provider()
        var options = S3Options()
        options.credentialProvider = provider
        let storage = try S3Storage(bucketName: "b", options: options)
        #expect(try await storage.directUpload(to: name).expiration == provider.end)
        let form = try await storage.directUploadForm(to: name, size: 0...1)
        #expect(form.expiration == provider.end)
        #expect(form["X-Amz-Security-Token"] == "hush")
    }

    @Test("A direct upload is refused for what a client cannot or must not send")
    func unsupported() async throws {
        let key = try S3CustomerKey(Array(repeating: 7, count: 32))
        let setups: [(String, @Sendable (inout S3Options) -> Void)] = [
            ("anonymous", { $0.isAnonymous = true }),
            ("customer key", { $0.objectParameters.encryption = .customerKey(key) }),
            ("legal hold", { $0.objectParameters.hasLegalHold = true }),
        ]
        for (label, setup) in setups {
            let storage = try offline(setup)
            let byURL = await storageError { try await storage.directUpload(to: name) }
            let byForm = await storageError { try await storage.directUploadForm(to: name, size: 0...1) }
            #expect(byURL?.code == .unsupported, "\(label)")
            #expect(byForm?.code == .unsupported, "\(label)")
        }
        let storage = try offline()
        let negative = await storageError { try await storage.directUpload(to: name, byteCount: -1) }
        #expect(negative?.code == .invalidConfiguration)
        let broken = await storageError {
            try await storage.directUpload(to: name, options: DirectUploadOptions(contentDisposition: "a\r\nX-Evil: 1"))
        }
        #expect(broken?.code == .invalidConfiguration)
    }

    @Test("The description of a direct upload shows neither its signature nor field values")
    func secrecy() async throws {
        let storage = try offline { $0.sessionToken = "hush-token" }
        let upload = try await storage.directUpload(to: name)
        let form = try await storage.directUploadForm(to: name, size: 0...1)
        let signature = try #require(form["x-amz-signature"])
        let policy = try #require(form["policy"])
        let query = try #require(upload.url.split(separator: "?").last)
        for (holder, secrets) in [
            (upload as Any, [String(query), "hush", "Signature"]),
            (form as Any, [signature, "hush", policy]),
            (form.fields as Any, [signature, "hush", policy]),
        ] {
            var dumped = ""
            dump(holder, to: &dumped)
            for text in [String(describing: holder), String(reflecting: holder), dumped] {
                for secret in secrets { #expect(!text.contains(secret), "\(text)") }
            }
        }
        #expect(upload.description.contains("https://s3.example.org/b/a%20b.jpg"))
    }
}
