import Foundation
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("URLs of files in S3", .timeLimit(.minutes(5)))
struct S3URLTests {
    private func storage(
        customDomain: String? = nil,
        querystringAuth: Bool = false,
        useSSL: Bool = true,
        endpoint: String? = "s3.example.org",
        _ configure: (inout S3Options) -> Void = { _ in }
    ) throws -> S3Storage {
        var options = S3Options()
        configure(&options)
        let key = options.isAnonymous ? nil : "AKIAEXAMPLE"
        return try S3Storage(
            bucketName: "media",
            endpointURL: endpoint,
            accessKeyID: key,
            secretAccessKey: key,
            region: "us-east-1",
            useSSL: useSSL,
            customDomain: customDomain,
            querystringAuth: querystringAuth,
            options: options
        )
    }

    private let name = StorageName(unchecked: "ä b/日+本.png")
    private static let path = "%C3%A4%20b/%E6%97%A5%2B%E6%9C%AC.png"

    @Test("are plain without anything, percent-encoded in each segment")
    func plain() async throws {
        #expect(try await storage().url(for: name) == "https://s3.example.org/media/\(Self.path)")
        #expect(try await storage(useSSL: false).url(for: name) == "http://s3.example.org/media/\(Self.path)")
        #expect(try await storage(endpoint: nil).url(for: name) == "https://media.s3.amazonaws.com/\(Self.path)")
        let published = try storage { $0.publicEndpointURL = "http://files.example.org:81" }
        #expect(try await published.url(for: name) == "http://files.example.org:81/media/\(Self.path)")
    }

    static let domains = [
        ("cdn.example.org", true, "https://cdn.example.org/"),
        ("cdn.example.org", false, "http://cdn.example.org/"),
        ("https://cdn.example.org", false, "https://cdn.example.org/"),
        ("http://cdn.example.org:8080", true, "http://cdn.example.org:8080/"),
        ("CDN.example.org/files/v%201/", true, "https://cdn.example.org/files/v%201/"),
    ]

    @Test("are at the custom domain, also when URLs are to be signed", arguments: domains)
    func customDomain(domain: String, useSSL: Bool, prefix: String) async throws {
        for signs in [false, true] {
            let storage = try storage(customDomain: domain, querystringAuth: signs, useSSL: useSSL)
            #expect(try await storage.url(for: name) == prefix + Self.path)
        }
    }

    @Test("cannot have at an unsigned custom domain what only a signature gives")
    func unsignedDomain() async throws {
        let storage = try storage(customDomain: "cdn.example.org", querystringAuth: true)
        for options in [
            URLOptions(lifetime: .seconds(60)), URLOptions(contentDisposition: "inline"), URLOptions(contentType: .pdf),
            URLOptions(quantum: .seconds(60)),
        ] {
            let error = await storageError { try await storage.url(for: name, options: options) }
            #expect(error?.code == .unsupported)
        }
    }

    @Test("are signed for the custom domain when that passes the signature on")
    func signedDomain() async throws {
        let signing = try storage(customDomain: "cdn.example.org/files", querystringAuth: true) {
            $0.customDomainSigns = true
        }
        let url = try await signing.url(for: name)
        #expect(url.hasPrefix("https://cdn.example.org/files/\(Self.path)?X-Amz-Algorithm="))
        // Asked for by a lifetime, too; without, it is plain.
        let plain = try storage(customDomain: "cdn.example.org") { $0.customDomainSigns = true }
        #expect(try await plain.url(for: name) == "https://cdn.example.org/\(Self.path)")
        let short = try await plain.url(for: name, options: URLOptions(lifetime: .seconds(60)))
        #expect(short.contains("X-Amz-Expires=60&"))
    }

    @Test("are signed by querystringAuth, for an hour, or as long as was asked for")
    func signed() async throws {
        let storage = try storage(querystringAuth: true)
        #expect(try await storage.url(for: name).contains("X-Amz-Expires=3600&"))
        let url = try await storage.url(for: name, options: URLOptions(lifetime: .seconds(5)))
        #expect(url.contains("X-Amz-Expires=5&"))
        #expect(url.contains("X-Amz-Signature="))
        let own = try self.storage(querystringAuth: true) {
            $0.urlLifetime = .seconds(7)
            $0.publicEndpointURL = "files.example.org"
        }
        let published = try await own.url(for: name)
        #expect(published.hasPrefix("https://files.example.org/media/\(Self.path)?"))
        #expect(published.contains("X-Amz-Expires=7&"))
    }

    @Test("have a lifetime of 1 second to 7 days", arguments: [-1, 0, 1, 604_800, 604_801])
    func lifetimes(seconds: Int) async throws {
        let isGood = (1...604_800).contains(seconds)
        let storage = try storage()
        let options = URLOptions(lifetime: .seconds(seconds))
        let error = await storageError { try await storage.url(for: name, options: options) }
        #expect(error?.code == (isGood ? nil : .invalidURL))
        let changes: [(String, (inout S3Options) -> Void)] = [
            ("urlLifetime", { $0.urlLifetime = .seconds(seconds) }),
            ("urlQuantum", { $0.urlQuantum = .seconds(seconds) }),
        ]
        for (option, change) in changes {
            let atStart = await storageError { try self.storage(change) }
            #expect(atStart?.code == (isGood ? nil : .invalidConfiguration))
            #expect(isGood || atStart?.message.contains(option) == true)
        }
    }

    @Test("are equal within a quantum")
    func quantum() async throws {
        let storage = try storage(querystringAuth: true) { $0.urlQuantum = .seconds(86_400 * 3) }
        let first = try await storage.url(for: name)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await storage.url(for: name) == first)
        let other = try await storage.url(for: name, options: URLOptions(quantum: .seconds(1)))
        #expect(other != first)
    }

    @Test("are plain with anonymous access, and refused where a signature is asked for")
    func anonymous() async throws {
        let storage = try storage { $0.isAnonymous = true }
        #expect(try await storage.url(for: name) == "https://s3.example.org/media/\(Self.path)")
        let error = await storageError {
            try await storage.url(for: name, options: URLOptions(lifetime: .seconds(60)))
        }
        #expect(error?.code == .unsupported)
        #expect(!storage.capabilities.contains(.temporaryURL))
    }

    @Test("are signed for CloudFront at the custom domain")
    func cloudFront() async throws {
        let pem = try RecordedCases.text("cloudfront-test-key.pem")
        let key = CloudFrontKey(keyID: "K2EXAMPLE", privateKey: pem)
        let storage = try storage(customDomain: "d111.cloudfront.net") { $0.cloudFront = key }
        let url = try await storage.url(for: name, options: URLOptions(lifetime: .seconds(60)))
        #expect(url.hasPrefix("https://d111.cloudfront.net/\(Self.path)?Expires="))
        #expect(url.contains("&Signature=") && url.hasSuffix("&Key-Pair-Id=K2EXAMPLE"))
        let error = await storageError { try self.storage { $0.cloudFront = key } }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test(
        "are fetched by anybody when they are signed, and refused when they have expired or were changed",
        arguments: S3World.Server.allCases
    )
    func fetched(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage(querystringAuth: true)
        let name = try StorageName(validating: "Größe & 1+1=2/日本 100%.txt")
        _ = try await storage.upload(.string("contents"), to: name)
        let caFile = world.server.caFile
        func status(_ url: String) async throws -> Int {
            try await RawUpload.send(.get, url, trusting: caFile).status
        }
        let url = try await storage.url(for: name)
        let answer = try await RawUpload.send(.get, url, trusting: caFile)
        #expect(answer.status == 200 && answer.body == "contents")
        #expect(try await status(url.replacingOccurrences(of: "Expires=3600", with: "Expires=3601")) == 403)
        // Without a signature OpenStack Swift takes it for a request of its own API, and rclone says 400.
        #expect(try await (400..<500).contains(status(String(url.prefix { $0 != "?" }))))
        let old = try SigV4Signer(region: world.server.region).presignedURL(
            PresignedURL.Request(
                method: .get,
                origin: storage.client.addressing.origin,
                path: storage.client.addressing.path(forKey: name.string),
                lifetime: .seconds(60)
            ),
            with: S3Credentials(accessKeyID: world.server.accessKeyID, secretAccessKey: world.server.secretAccessKey),
            at: Date() - 90
        )
        #expect(try await status(old.url) == (server.kind == .rclone ? 400 : 403))
    }

    @Test("override the type and the disposition of the answer, in all scripts")
    func overrides() async throws {
        let world = try await S3World.make(.swift)
        let storage = try world.storage()
        let name = try StorageName(validating: "a.txt")
        _ = try await storage.upload(.string("x"), to: name)
        let disposition = "attachment; filename=\"e.txt\"; filename*=UTF-8''%E2%82%AC.txt"
        let url = try await storage.url(
            for: name,
            options: URLOptions(contentDisposition: disposition, contentType: .pdf)
        )
        let answer = try await RawUpload.send(.get, url)
        #expect(answer.status == 200)
        #expect(answer.headers["Content-Disposition"] == disposition)
        #expect(answer.headers["Content-Type"] == "application/pdf")
    }
}
