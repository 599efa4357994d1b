package import NIOPosix

/// The threads for calls that block, so that the cooperative pool never waits for a disk.
///
/// One pool for the process, started when first used. Four threads saturate a disk; more would only queue in the
/// kernel instead of here.
package enum BlockingPool {
    /// The shared pool.
    package static let shared: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    /// Runs blocking work on a thread of the pool.
    ///
    /// Work that has not begun when the task is cancelled is dropped with `CancellationError`; work that has begun is
    /// waited for, so nothing it uses can be taken away from it.
    ///
    /// - Parameter work: May block.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws; `CancellationError`.
    package static func run<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await run(on: shared, work)
    }

    /// Runs blocking work on a thread of a pool of one's own; otherwise the same.
    ///
    /// - Parameters:
    ///   - pool: A pool that was started.
    ///   - work: May block. Let go of as soon as the task is cancelled, if it has not begun.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws; `CancellationError`.
    package static func run<Result: Sendable>(
        on pool: NIOThreadPool,
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try Task.checkCancellation()
        let work = BlockingWork(work)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard work.wait(continuation) else { return }
                pool.submit { state in
                    if case .active = state { work.run(isActive: true) } else { work.run(isActive: false) }
                }
            }
        } onCancel: {
            work.cancel()
        }
    }

    /// Runs blocking work to its end although the task may be cancelled: for clearing up.
    ///
    /// - Parameter work: May block.
    /// - Returns: What the work returns.
    package static func runShielded<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            shared.submit { _ in
                // The pool is never shut down, so the item is always active.
                continuation.resume(returning: work())
            }
        }
    }
}
