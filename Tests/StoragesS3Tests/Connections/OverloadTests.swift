import NIOConcurrencyHelpers
import Storages
import Testing

@testable import StoragesS3

@Suite("Overloaded servers", .timeLimit(.minutes(2)))
struct OverloadTests {
    static let name = StorageName(unchecked: "file")

    @Test("Retries of 200 operations are limited together, and successes earn new ones")
    func storm() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, _ in ScriptedBucket.failure(503, "SlowDown") }
            let storage = try ScriptedBucket.storage(proxy)
            let refused = NIOLockedValueBox(0)
            await withTaskGroup { group in
                for _ in 0..<200 {
                    group.addTask {
                        do {
                            _ = try await storage.open(Self.name)
                        } catch let error as StorageError where error.code == .unavailable {
                            refused.withLockedValue { $0 += 1 }
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
            #expect(refused.withLockedValue { $0 } == 200)
            // 500 tokens buy 100 retries of throttled requests; without them there would be 800.
            #expect(proxy.requests.count == 300)
            #expect(storage.client.retryTokens == 0)
            let error = await #expect(throws: StorageError.self) { _ = try await storage.open(Self.name) }
            #expect((error?.underlying as? S3ErrorDetails)?.attempts == 1)

            // What succeeds earns tokens for retries.
            proxy.script { _, _ in ScriptedBucket.answer(200, "x") }
            for _ in 0..<10 { _ = try await storage.open(Self.name) }
            #expect(storage.client.retryTokens == 10)
            proxy.script { _, index in
                index == 0 ? ScriptedBucket.failure(503, "SlowDown") : ScriptedBucket.answer(200, "x")
            }
            _ = try await storage.open(Self.name)
            #expect(storage.client.retryTokens == 10)
        }
    }

    @Test(
        "A retry waits as long as the response header asks",
        arguments: [("Retry-After", "1", 1.0), ("x-amz-retry-after", "150", 0.15)] as [(String, String, Double)]
    )
    func retryAfter(header: String, value: String, seconds: Double) async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, index in
                index == 0 ? ScriptedBucket.answer(503, "", [(header, value)]) : ScriptedBucket.answer(200, "x")
            }
            let storage = try ScriptedBucket.storage(proxy)
            _ = try await storage.open(Self.name)
            let times = proxy.requests.map(\.time)
            #expect(times.count == 2)
            #expect(times[0].duration(to: times[1]) >= .seconds(seconds))
        }
    }

    @Test("A wait that the server asks for is limited by the maximum delay and the budget")
    func cap() async throws {
        try await FaultProxy.with { proxy in
            proxy.script { _, index in
                index == 0 ? ScriptedBucket.answer(503, "", [("Retry-After", "3600")]) : ScriptedBucket.answer(200, "x")
            }
            let storage = try ScriptedBucket.storage(proxy) { $0.retries.maxDelay = .milliseconds(20) }
            _ = try await storage.open(Self.name)
            #expect(proxy.requests.count == 2)

            // A wait beyond the budget is none: the failure is told at once.
            proxy.script { _, _ in ScriptedBucket.answer(503, "", [("Retry-After", "10")]) }
            let impatient = try ScriptedBucket.storage(proxy) { $0.retries.budget = .seconds(5) }
            let start = ContinuousClock.now
            await #expect(throws: StorageError.self) { _ = try await impatient.open(Self.name) }
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(proxy.requests.count == 3)
        }
    }
}
