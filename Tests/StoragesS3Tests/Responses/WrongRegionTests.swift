import NIOConcurrencyHelpers
import NIOCore
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

/// Hosts of Amazon's cannot be reached from a test, so a scripted transport stands under the real client here.
@Suite("A bucket in another region", .timeLimit(.minutes(1)))
struct WrongRegionTests {
    static let name = StorageName(unchecked: "file")

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var isHead = false
        var answer: ScriptedTransport.Answer
        /// A Boolean value that indicates whether the bucket has to be asked.
        var asks = false
    }

    static let cases = [
        Case(
            testDescription: "301 without Location",
            answer: .init(
                status: 301,
                body: ScriptedBucket.error(
                    "PermanentRedirect",
                    "<Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint>"
                ),
                headers: ["x-amz-bucket-region": "eu-west-1"]
            )
        ),
        Case(
            testDescription: "301 with an endpoint only",
            answer: .init(
                status: 301,
                body: ScriptedBucket.error(
                    "PermanentRedirect",
                    "<Endpoint>bucket.s3.eu-west-1.amazonaws.com</Endpoint>"
                )
            )
        ),
        Case(
            testDescription: "307",
            answer: .init(
                status: 307,
                body: ScriptedBucket.error("TemporaryRedirect"),
                headers: ["Location": "https://bucket.s3.eu-west-1.amazonaws.com/file"]
            )
        ),
        Case(
            testDescription: "400 AuthorizationHeaderMalformed",
            answer: .init(
                status: 400,
                body: ScriptedBucket.error("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")
            )
        ),
        Case(
            testDescription: "HEAD 400 that names the region",
            isHead: true,
            answer: .init(status: 400, body: "", headers: ["x-amz-bucket-region": "eu-west-1"])
        ),
        Case(
            testDescription: "HEAD 400 that says nothing",
            isHead: true,
            answer: .init(status: 400, body: ""),
            asks: true
        ),
    ]

    private static func ask(_ storage: S3Storage, _ isHead: Bool) async throws {
        if isHead { _ = try await storage.info(for: name) } else { _ = try await storage.open(name) }
    }

    private static func server(_ answer: ScriptedTransport.Answer) -> ScriptedTransport {
        ScriptedTransport { request in
            if request.headers["Authorization"]?.contains("/eu-west-1/s3/") == true {
                return .init(status: 200, body: "x", headers: ["Content-Length": "1", "ETag": "\"1\""])
            }
            // HEAD of the bucket itself.
            if request.url.hasSuffix(".com/") {
                return .init(status: 400, body: "", headers: ["x-amz-bucket-region": "eu-west-1"])
            }
            return answer
        }
    }

    @Test("The region of a bucket is found after a redirect, and remembered", arguments: cases)
    func moves(example: Case) async throws {
        let transport = Self.server(example.answer)
        let storage = try ScriptedBucket.amazon(transport) { $0.retries = .none }
        try await Self.ask(storage, example.isHead)
        #expect(transport.requests.count == (example.asks ? 3 : 2))
        #expect(transport.requests.last?.url == "https://bucket.s3.eu-west-1.amazonaws.com/file")
        try await Self.ask(storage, example.isHead)
        #expect(transport.requests.count == (example.asks ? 4 : 3))
    }

    @Test("All concurrent requests follow a bucket to its region")
    func concurrency() async throws {
        let server = Self.server(Self.cases[0].answer)
        let transport = ScriptedTransport { request in
            // So that all of them are on their way with the old region.
            try await Task.sleep(for: .milliseconds(20))
            let answer = try await server.send(request)
            let body = try await answer.collected(upTo: 1 << 20).body
            return .init(status: answer.status, body: String(buffer: body), headers: answer.headers)
        }
        let storage = try ScriptedBucket.amazon(transport) { $0.retries = .none }
        try await withThrowingTaskGroup { group in
            for _ in 0..<20 { group.addTask { try await Self.ask(storage, false) } }
            try await group.waitForAll()
        }
        #expect(transport.requests.count == 40)
    }

    @Test(
        "No request goes to a malformed region that a redirect names",
        arguments: ["evil.com/", "evil.com", "eu-west-1.evil", "eu-west-1@evil", "-", "", "eu_west"]
    )
    func hostility(region: String) async throws {
        let transport = ScriptedTransport { _ in
            .init(status: 301, body: "", headers: ["x-amz-bucket-region": region])
        }
        let storage = try ScriptedBucket.amazon(transport)
        let error = await #expect(throws: StorageError.self) { _ = try await storage.open(Self.name) }
        #expect(error?.code == .invalidConfiguration)
        #expect(transport.requests.allSatisfy { $0.url.hasPrefix("https://bucket.s3.amazonaws.com/") })
    }

    @Test("Redirects back and forth between two regions end in an error")
    func loop() async throws {
        let transport = ScriptedTransport { request in
            let isHome = request.headers["Authorization"]?.contains("/us-east-1/") == true
            return .init(status: 301, body: "", headers: ["x-amz-bucket-region": isHome ? "eu-west-1" : "us-east-1"])
        }
        let storage = try ScriptedBucket.amazon(transport)
        let error = await #expect(throws: StorageError.self) { _ = try await storage.open(Self.name) }
        #expect(error?.code == .invalidConfiguration)
        #expect(transport.requests.count == 2)
    }
}
