import NIOCore
import Storages
import StoragesS3
import TestSupport
import Testing

@Suite("Retries by status", .timeLimit(.minutes(2)))
struct RetriedStatusTests {
    @Test(
        "A download succeeds after a first response with one of these statuses",
        arguments: [408, 429, 499, 500, 502, 503, 504, 509, 520, 522, 530]
    )
    func retried(status: Int) async throws {
        try await expect(.init(status), isRetried: true)
        try await expect(.init(status, body: "<html>" + String(repeating: "busy ", count: 40_000)), isRetried: true)
    }

    @Test(
        "A download fails at the first response with one of these statuses",
        arguments: [400, 401, 403, 404, 405, 409, 410, 411, 412, 413, 501, 505, 507]
    )
    func final(status: Int) async throws {
        try await expect(.init(status), isRetried: false)
    }

    @Test(
        "The error code of a response decides whether a download is retried",
        arguments: [
            (400, "RequestTimeout", true), (400, "BadDigest", true), (400, "IncompleteBody", true),
            (400, "InvalidArgument", false), (400, "EntityTooLarge", false), (403, "AccessDenied", false),
            (409, "OperationAborted", true), (501, "NotImplemented", false), (503, "SlowDown", true),
        ]
    )
    func coded(status: Int, code: String, isRetried: Bool) async throws {
        try await expect(.error(status, code), isRetried: isRetried)
    }

    private func expect(_ answer: FaultProxy.Answer, isRetried: Bool) async throws {
        try await FaultProxy.with { proxy async throws in
            let object = ScriptedObject(1000)
            proxy.script { request, index in .answer(index == 0 ? answer : object.answer(to: request)) }
            let storage = try proxy.storage()
            let name = try StorageName(validating: "file")
            if isRetried {
                #expect(try await storage.open(name).collect(upTo: 1000) == object.bytes)
            } else {
                await #expect(throws: StorageError.self) { try await storage.open(name).collect(upTo: 1000) }
            }
            #expect(proxy.requests.count == (isRetried ? 2 : 1))
        }
    }

    @Test("A failing request is sent no more often than allowed", arguments: [1, 2, 5])
    func attempts(limit: Int) async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .answer(.init(500)) }
            let storage = try proxy.storage { $0.retries.maxAttempts = limit }
            let name = try StorageName(validating: "file")
            let error = await #expect(throws: StorageError.self) { try await storage.info(for: name) }
            #expect(proxy.requests.count == limit)
            #expect((error?.underlying as? S3ErrorDetails)?.attempts == limit)
        }
    }

    @Test("A failing request is retried no longer than the budget, whatever Retry-After says")
    func time() async throws {
        try await FaultProxy.with { proxy async throws in
            let budget = Duration.seconds(1)
            let storage = try proxy.storage {
                $0.retries = S3Retries(maxAttempts: 1000, budget: budget, baseDelay: .milliseconds(50))
            }
            let name = try StorageName(validating: "file")
            proxy.script { _, _ in .answer(.init(200)) }
            _ = try await storage.info(for: name)
            proxy.script { _, _ in .answer(.init(500)) }
            let start = ContinuousClock.now
            #expect(await storageErrorCode { try await storage.info(for: name) } == .unavailable)
            let last = try #require(proxy.requests.last)
            #expect(proxy.requests.count > 1)
            // A busy machine takes some time from the decision to the arrival; without a budget it would go on for
            // minutes.
            #expect(start.duration(to: last.time) < budget + .seconds(10))

            proxy.script { _, _ in .answer(.init(503, headers: [("Retry-After", "3600")])) }
            let before = proxy.requests.count
            let second = ContinuousClock.now
            #expect(await storageErrorCode { try await storage.info(for: name) } == .unavailable)
            #expect(proxy.requests.count == before + 1)
            #expect(second.duration(to: .now) < .seconds(15))
        }
    }

    @Test("A storage stops retrying when its retry tokens are used up")
    func tokens() async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .answer(.init(500)) }
            let storage = try proxy.storage { $0.retries.maxAttempts = 100 }
            let name = try StorageName(validating: "file")
            for _ in 0..<3 { await #expect(throws: StorageError.self) { try await storage.info(for: name) } }
            // 500 tokens, 14 for each retry.
            #expect(proxy.requests.count == 3 + 500 / 14)
        }
    }
}
