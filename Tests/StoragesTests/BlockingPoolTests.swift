import NIOConcurrencyHelpers
import NIOPosix
import TestSupport
import Testing

@testable import Storages

@Suite struct BlockingPoolTests {
    /// Something that says when it is gone.
    private final class Load: Sendable {}

    @Test("Queued blocking work is dropped at once when its task is cancelled")
    func dropsQueuedWorkAtOnceWhenItsTaskIsCancelled() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        // The only thread waits until the test lets it go.
        let (gate, open) = (ThreadGate(), AsyncStream<Void>.makeStream())
        let blocker = Task {
            try await BlockingPool.run(on: pool) {
                open.continuation.finish()
                gate.wait()
            }
        }
        for await _ in open.stream {}
        var load: Load? = Load()
        weak let weakLoad = load
        let didRun = NIOLockedValueBox(false)
        let waiting = Task { [load] in
            try await BlockingPool.run(on: pool) {
                withExtendedLifetime(load) { didRun.withLockedValue { $0 = true } }
            }
        }
        load = nil
        waiting.cancel()
        // The thread is still held, so this returns only because the wait has ended without it.
        await #expect(throws: CancellationError.self) { try await waiting.value }
        #expect(weakLoad == nil)
        gate.open()
        try await blocker.value
        try await BlockingPool.run(on: pool) {}
        #expect(!didRun.withLockedValue { $0 })
        try await pool.shutdownGracefully()
        await #expect(throws: (any Error).self) { try await BlockingPool.run(on: pool) {} }
    }

    @Test("Blocking work that has begun is awaited although its task is cancelled")
    func waitsForWorkThatHasBegun() async throws {
        let (started, signal) = AsyncStream<Void>.makeStream()
        let gate = ThreadGate()
        let task = Task {
            try await BlockingPool.run {
                signal.finish()
                gate.wait()
                return 7
            }
        }
        for await _ in started {}
        task.cancel()
        gate.open()
        #expect(try await task.value == 7)
    }

    @Test("The blocking pool runs twelve jobs at the same time")
    func doesMoreThanAHandfulAtOnce() async throws {
        // Each waits for all others: with fewer threads none would be through.
        let gate = ThreadGate()
        let arrived = NIOLockedValueBox(0)
        let passed = try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    try await BlockingPool.run {
                        let count = arrived.withLockedValue { count in
                            count += 1
                            return count
                        }
                        if count == 12 { gate.open() }
                        return gate.wait(seconds: 60)
                    }
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(passed == 12)
    }
}
