import Foundation
import Storages
import StoredFilesTesting
import TestSupport
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

    @Test("A plain URL is percent-encoded in each segment")
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

    @Test("URLs are at the custom domain, even when URLs are to be signed", arguments: domains)
    func customDomain(domain: String, useSSL: Bool, prefix: String) async throws {
        for signs in [false, true] {
            let storage = try storage(customDomain: domain, querystringAuth: signs, useSSL: useSSL)
            #expect(try await storage.url(for: name) == prefix + Self.path)
        }
    }

    @Test("An unsigned custom domain refuses URL options that need a signature")
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

    @Test("URLs are signed for a custom domain that passes the signature on")
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

    @Test("URLs are signed for an hour by default, or for the requested lifetime")
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

    @Test("A URL has a lifetime of 1 second to 7 days", arguments: [-1, 0, 1, 604_800, 604_801])
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

    @Test("Signed URLs of a storage are equal within a quantum")
    func quantum() async throws {
        let storage = try storage(querystringAuth: true) { $0.urlQuantum = .seconds(86_400 * 3) }
        let first = try await storage.url(for: name)
        try await Task.sleep(for: .milliseconds(1100))
        #expect(try await storage.url(for: name) == first)
        let other = try await storage.url(for: name, options: URLOptions(quantum: .seconds(1)))
        #expect(other != first)
    }

    @Test("URLs are plain with anonymous access, and signed ones are refused")
    func anonymous() async throws {
        let storage = try storage { $0.isAnonymous = true }
        #expect(try await storage.url(for: name) == "https://s3.example.org/media/\(Self.path)")
        let error = await storageError {
            try await storage.url(for: name, options: URLOptions(lifetime: .seconds(60)))
        }
        #expect(error?.code == .unsupported)
        #expect(!storage.capabilities.contains(.temporaryURL))
    }

    @Test("URLs at the custom domain are signed for CloudFront")
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
        "A signed URL works without credentials until it expires or is changed",
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

    @Test("A signed URL overrides the type and the disposition of the response")
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
