import NIOCore
import Storages
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Credentials that expire during use", .timeLimit(.minutes(1)))
struct ExpiredTokenTests {
    private static let name = StorageName(unchecked: "file")
    private static let old = S3Credentials(
        accessKeyID: "AKIDOLD",
        secretAccessKey: "old secret",
        sessionToken: "old-token"
    )
    private static let new = S3Credentials(
        accessKeyID: "AKIDNEW",
        secretAccessKey: "new secret",
        sessionToken: "new-token"
    )

    /// Hands out sets one after the other, and the last one for ever.
    private final class Rotation: S3CredentialProvider {
        private let sets: [S3Credentials]
        private let calls = Counter()

        init(_ sets: [S3Credentials]) {
            self.sets = sets
        }

        var callCount: Int { calls.value }

        func credentials() async throws -> S3Credentials? { sets[min(calls.next(), sets.count) - 1] }
    }

    /// The work that is done while the credentials expire.
    enum Work: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case open, upload, delete

        var testDescription: String { rawValue }

        func run(_ storage: S3Storage) async throws {
            switch self {
            case .open: _ = try await storage.open(name).collect(upTo: 10)
            case .upload:
                _ = try await storage.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
            case .delete: try await storage.delete(name)
            }
        }
    }

    private static func setup(_ endpoint: String?, _ provider: Rotation) -> S3Setup {
        var setup = ScriptedBucket.setup(endpoint: endpoint, useSSL: endpoint == nil) {
            $0.credentialProvider = provider
            // Other credentials are no retry.
            $0.retries = .none
        }
        setup.accessKeyID = nil
        setup.secretAccessKey = nil
        return setup
    }

    private static func isSigned(_ request: FaultProxy.Request, with set: S3Credentials) -> Bool {
        request["Authorization"]?.contains("Credential=\(set.accessKeyID)/") == true
            && request["x-amz-security-token"] == set.sessionToken
    }

    private static func isSigned(_ request: HTTPRequest, with set: S3Credentials) -> Bool {
        request.headers["Authorization"]?.contains("Credential=\(set.accessKeyID)/") == true
            && request.headers["x-amz-security-token"] == set.sessionToken
    }

    private static func success(_ request: FaultProxy.Request) -> FaultProxy.Action {
        switch request.method {
        case "DELETE": ScriptedBucket.answer(204)
        case "PUT": ScriptedBucket.answer(200, "", [("ETag", "\"tag\"")])
        default: ScriptedBucket.answer(200, "x", [("ETag", "\"tag\"")])
        }
    }

    @Test(
        "Expired credentials are replaced, and the request is sent once more",
        arguments: Work.allCases,
        ["ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "InvalidToken"]
    )
    func replacement(work: Work, code: String) async throws {
        try await FaultProxy.with { proxy in
            let provider = Rotation([Self.old, Self.new])
            let storage = try S3Storage(Self.setup(proxy.endpoint, provider))
            proxy.script { request, _ in Self.success(request) }
            _ = try await storage.open(Self.name).collect(upTo: 10)
            #expect(proxy.requests.count == 1)
            #expect(provider.callCount == 1)

            // In the middle of everything.
            proxy.script { request, _ in
                Self.isSigned(request, with: Self.old) ? ScriptedBucket.failure(400, code) : Self.success(request)
            }
            try await work.run(storage)
            let requests = proxy.requests.dropFirst()
            #expect(requests.map { Self.isSigned($0, with: Self.old) } == [true, false])
            #expect(requests.map { Self.isSigned($0, with: Self.new) } == [false, true])
            #expect(Set(requests.map(\.method)).count == 1)
            #expect(provider.callCount == 2)

            // From now on the new ones count.
            try await work.run(storage)
            #expect(proxy.requests.count == 4)
            #expect(proxy.requests.last.map { Self.isSigned($0, with: Self.new) } == true)
            #expect(provider.callCount == 2)
        }
    }

    @Test("A request fails after one refresh when expired credentials have no successor", arguments: Work.allCases)
    func noSuccessor(work: Work) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.failure(400, "ExpiredToken") }
            let provider = Rotation([Self.old])
            let storage = try S3Storage(Self.setup(proxy.endpoint, provider))
            let error = await #expect(throws: StorageError.self) { try await work.run(storage) }
            #expect(error?.code == .permissionDenied)
            #expect((error?.underlying as? S3ErrorDetails)?.code == "ExpiredToken")
            // The same again would be refused again.
            #expect(proxy.requests.count == 1)
            #expect(provider.callCount == 2)
        }
    }

    @Test("A request fails after one refresh when the new credentials are expired, too", arguments: Work.allCases)
    func allExpired(work: Work) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.failure(400, "ExpiredToken") }
            let sets = (0..<9).map { S3Credentials(accessKeyID: "AKID\($0)", secretAccessKey: "s", sessionToken: "t") }
            let provider = Rotation(sets)
            let storage = try S3Storage(Self.setup(proxy.endpoint, provider))
            let error = await #expect(throws: StorageError.self) { try await work.run(storage) }
            #expect(error?.code == .permissionDenied)
            #expect(proxy.requests.map { Self.isSigned($0, with: sets[0]) } == [true, false])
            #expect(proxy.requests.map { Self.isSigned($0, with: sets[1]) } == [false, true])
            #expect(provider.callCount == 2)
        }
    }

    @Test("Expired credentials are replaced once for a hundred concurrent tasks")
    func manyTasks() async throws {
        let refused = Counter()
        let transport = ScriptedTransport { request in
            guard Self.isSigned(request, with: Self.old) else {
                return .init(status: 200, body: "x", headers: ["Content-Length": "1", "ETag": "\"e\""])
            }
            // All of them are on their way with the old ones before the first is refused.
            refused.next()
            try await waitUntil { refused.value >= 100 }
            return .init(status: 400, body: ScriptedBucket.error("ExpiredToken"))
        }
        let provider = Rotation([Self.old, Self.new])
        let storage = try S3Storage(Self.setup(nil, provider), transport: transport)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<100 { group.addTask { try await Work.open.run(storage) } }
            try await group.waitForAll()
        }
        #expect(refused.value == 100)
        #expect(transport.requests.count == 200)
        #expect(transport.requests.count { Self.isSigned($0, with: Self.new) } == 100)
        #expect(provider.callCount == 2)
    }
}
