import Foundation
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Endpoints with a path")
struct EndpointPathTests {
    private static let date = ISO8601DateFormatter().date(from: "2026-01-02T03:04:05Z") ?? Date()
    private static let keys = S3Credentials(
        accessKeyID: "AKIDEXAMPLE",
        secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    )

    private static func addressing(
        _ style: S3AddressingStyle,
        _ url: String = "https://x.supabase.co/storage/v1/s3/",
        bucket: String = "media"
    ) throws -> Addressing {
        let (scheme, endpoint) = try EndpointAddress.parse(url: url, option: "endpointURL")
        return try Addressing(
            AddressingOptions(bucket: bucket, endpoint: endpoint, region: .usEast1, scheme: scheme, style: style)
        )
    }

    /// A request that botocore 1.44.8 sends and signs at this moment.
    struct Vector: Sendable, CustomTestStringConvertible {
        var style: S3AddressingStyle
        var method = "GET"
        var key: String?
        var query: [String: String] = [:]
        var url: String
        var signature: String
        var testDescription: String { "\(method) \(url)" }
    }

    @Test(
        "Requests to endpoints with a path are addressed and signed as botocore does",
        arguments: [
            Vector(
                style: .path,
                key: "a b/ü+.txt",
                url: "https://x.supabase.co/storage/v1/s3/media/a%20b/%C3%BC%2B.txt",
                signature: "29e4405f527ca9ac0fd73c4bbbb59bceada8108234c491d3bc8f9e2547085eb7"
            ),
            Vector(
                style: .path,
                query: ["list-type": "2", "prefix": "p", "encoding-type": "url"],
                url: "https://x.supabase.co/storage/v1/s3/media",
                signature: "bc839b8f8b7aae5c720878d4f4626b4fa486d72c4e0ace46b388dac20030c63a"
            ),
            Vector(
                style: .path,
                method: "PUT",
                key: "k",
                url: "https://x.supabase.co/storage/v1/s3/media/k",
                signature: "970b45579967aba30ef658baf1398e5e85eb6b07421666e85e4c7d364b01e482"
            ),
            Vector(
                style: .virtual,
                key: "a b/ü+.txt",
                url: "https://media.x.supabase.co/storage/v1/s3/a%20b/%C3%BC%2B.txt",
                signature: "48059bda339fbe5381bc07c718fbebea67cfa1202be43281fe0b0d33ed6599ec"
            ),
            Vector(
                style: .virtual,
                query: ["list-type": "2", "prefix": "p", "encoding-type": "url"],
                url: "https://media.x.supabase.co/storage/v1/s3",
                signature: "b5a12a6eed555e9f3a0f5dbe669c61b2804969f59099b4220db864a6ddc2e832"
            ),
            Vector(
                style: .virtual,
                method: "PUT",
                key: "k",
                url: "https://media.x.supabase.co/storage/v1/s3/k",
                signature: "9e4993d5a24ee756966281f87f19574ccf2040573844cb9e0707438742073076"
            ),
        ]
    )
    func vectors(vector: Vector) throws {
        let addressing = try Self.addressing(vector.style)
        let path = vector.key.map { addressing.path(forKey: $0) } ?? addressing.bucketPath
        #expect(addressing.origin + path == vector.url)
        var headers: HTTPHeaders = ["Host": addressing.host]
        // The copies: their source has no path in front.
        if vector.method == "PUT" { headers.append("x-amz-copy-source", addressing.copySource(forKey: "a b")) }
        let request = SignableRequest(
            method: vector.method,
            path: path,
            query: vector.query.map { (name: $0.key, value: $0.value) },
            headers: headers,
            payload: .empty
        )
        let signed = try SigV4Signer(region: "us-east-1").headers(signing: request, with: Self.keys, at: Self.date)
        let authorization = try #require(signed["Authorization"])
        #expect(authorization.hasSuffix("Signature=" + vector.signature), "\(authorization)")
    }

    @Test(
        "URLs of endpoints with a path are signed as botocore does",
        arguments: [
            (.path, "609ea9e079071d2822dc177303aa07ee129f1c9c196d709d22d76de8d49d022d"),
            (.virtual, "882d4f1a23cde9892d1b57ca34ba78ce50e9e17e5bf51b2efc0fbcd78c97db6c"),
        ] as [(S3AddressingStyle, String)]
    )
    func presigned(style: S3AddressingStyle, signature: String) throws {
        let addressing = try Self.addressing(style)
        let request = PresignedURL.Request(
            method: .get,
            origin: addressing.origin,
            path: addressing.path(forKey: "a b/ü+.txt"),
            lifetime: .seconds(600)
        )
        let made = try SigV4Signer(region: "us-east-1").presignedURL(request, with: Self.keys, at: Self.date)
        #expect(made.url.hasPrefix(addressing.url(forKey: "a b/ü+.txt") + "?"))
        #expect(made.url.hasSuffix("X-Amz-Signature=" + signature))
    }

    @Test("The path of an endpoint is part of the storage's location, label and URLs")
    func location() async throws {
        func storage(_ url: String) throws -> S3Storage {
            try S3Storage(
                bucketName: "media",
                endpointURL: url,
                accessKeyID: "k",
                secretAccessKey: "s",
                region: "us-east-1"
            )
        }
        let one = try storage("https://gateway.example.org/one/")
        let two = try storage("https://gateway.example.org/two")
        #expect(one.label == "S3Storage(media at gateway.example.org/one)")
        #expect(one.location != two.location)
        #expect(try one.location == storage("https://gateway.example.org/one").location)
        #expect(try one.location != storage("https://gateway.example.org").location)
        let form = try await one.directUploadForm(to: StorageName(validating: "k"), size: 0...10)
        #expect(form.url == "https://gateway.example.org/one/media")
        #expect(try await one.url(for: StorageName(validating: "k")) == "https://gateway.example.org/one/media/k")
        var options = S3Options()
        options.publicEndpointURL = "https://files.example.org/s3"
        let published = try S3Storage(
            bucketName: "media",
            endpointURL: "gateway.internal/one",
            accessKeyID: "k",
            secretAccessKey: "s",
            region: "us-east-1",
            options: options
        )
        #expect(try await published.url(for: StorageName(validating: "k")) == "https://files.example.org/s3/media/k")
    }

    @Test(
        "An endpoint path that can only be the bucket's is refused",
        arguments: [
            "https://s3.eu-west-1.amazonaws.com/media", "https://s3.amazonaws.com/other",
            "https://account.r2.cloudflarestorage.com/media",
        ]
    )
    func bucketInPath(url: String) throws {
        let error = #expect(throws: StorageError.self) { try Self.addressing(.auto, url) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("Leave it out") == true)
        #expect(try Self.addressing(.path, "https://gateway.example.org/media").pathPrefix == "/media/media")
    }

    @Test("A request to an endpoint with a path keeps that path in front of the bucket")
    func gateway() async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(20)
            proxy.script { request, _ in
                let isThere = request.path.hasPrefix("/storage/v1/s3/bucket/")
                return .answer(isThere ? object.answer(to: request) : .error(404, "NoSuchKey"))
            }
            let storage = try S3Storage(
                bucketName: "bucket",
                endpointURL: "http://\(proxy.endpoint)/storage/v1/s3",
                accessKeyID: "k",
                secretAccessKey: "s",
                region: "us-east-1"
            )
            #expect(try await storage.open(StorageName(validating: "a b")).collect(upTo: 100) == object.bytes)
            #expect(proxy.requests.map(\.path) == ["/storage/v1/s3/bucket/a%20b"])
        }
    }
}
