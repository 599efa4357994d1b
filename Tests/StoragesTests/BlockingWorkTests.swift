import Dispatch
import NIOConcurrencyHelpers
import NIOPosix
import Testing

@testable import Storages

/// Work for threads that block: what a cancelled task leaves behind.
@Suite struct BlockingWorkTests {
    private final class Load: Sendable {
        let onRelease: @Sendable () -> Void
        init(_ onRelease: @escaping @Sendable () -> Void) { self.onRelease = onRelease }
        deinit { onRelease() }
    }

    @Test func cancelledWorkIsLetGoOfBeforeAThreadComesToIt() async throws {
        let pool = NIOThreadPool(numberOfThreads: 1)
        pool.start()
        let gate = DispatchSemaphore(value: 0)
        let isBusy = NIOLockedValueBox(false)
        let first = Task {
            try await BlockingPool.run(on: pool) {
                isBusy.withLockedValue { $0 = true }
                gate.wait()
            }
        }
        while !isBusy.withLockedValue({ $0 }) { await Task.yield() }

        let isReleased = NIOLockedValueBox(false)
        let ran = NIOLockedValueBox(false)
        func submit() -> Task<Void, any Error> {
            let load = Load { isReleased.withLockedValue { $0 = true } }
            return Task {
                try await BlockingPool.run(on: pool) { [load] in
                    withExtendedLifetime(load) { ran.withLockedValue { $0 = true } }
                }
            }
        }
        let second = submit()
        for _ in 0..<100 { await Task.yield() }
        second.cancel()
        // The only thread is still busy: neither the answer nor the release waits for it.
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(isReleased.withLockedValue { $0 })
        gate.signal()
        try await first.value
        #expect(try await BlockingPool.run(on: pool) { 7 } == 7)
        #expect(!ran.withLockedValue { $0 })
        try await pool.shutdownGracefully()
    }

    @Test func workThatHasBegunIsWaitedFor() async throws {
        let gate = DispatchSemaphore(value: 0)
        let isBusy = NIOLockedValueBox(false)
        let task = Task {
            try await BlockingPool.run {
                isBusy.withLockedValue { $0 = true }
                gate.wait()
                return 7
            }
        }
        while !isBusy.withLockedValue({ $0 }) { await Task.yield() }
        task.cancel()
        gate.signal()
        #expect(try await task.value == 7)
    }

    @Test func aCancelledTaskDoesNotSubmit() async throws {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await BlockingPool.run { 7 }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }
}
