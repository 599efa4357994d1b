package import NIOPosix

/// The threads for calls that block, so that the cooperative pool never waits for a disk.
///
/// One pool for the process, started when first used. It has 16 threads, whatever the number of cores: they wait for
/// disks and do not compute, a waiting thread costs little but its stack, and a device or a file system across a
/// network that takes 16 `fsync`s at once needs no longer than for four.
package enum BlockingPool {
    /// The shared pool.
    package static let shared: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }()

    /// Runs blocking work on a thread of a pool.
    ///
    /// Work that has not begun when the task is cancelled is dropped, with all it holds, and `CancellationError` comes
    /// at once. Work that has begun is waited for, so nothing it uses can be taken away from it.
    ///
    /// - Parameters:
    ///   - pool: Whose threads. Default: ``shared``.
    ///   - work: May block.
    /// - Returns: What the work returns.
    /// - Throws: What the work throws; `CancellationError`; NIO's `ThreadPoolInactive` when the pool was shut down.
    package static func run<Result: Sendable>(
        on pool: NIOThreadPool = shared,
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        // Not NIO's runIfActive: cancelling work that has begun leaves its number in the pool for ever, and work that
        // waits for a thread keeps its task and what it holds until it gets one.
        // And no checked continuation: the job resumes it once, whatever happens, and a check would cost an allocation
        // and hide the handing over from the thread sanitizer, as its waiting is done inside Swift's runtime.
        let job = BlockingJob<Result>()
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                guard job.enqueue(work, continuation) else { return }
                pool.submit { state in
                    switch state {
                    case .active: job.start()
                    case .cancelled: job.fail(with: NIOThreadPoolError.ThreadPoolInactive())
                    }
                }
            }
        } onCancel: {
            job.fail(with: CancellationError())
        }
    }

    /// Runs blocking work to its end although the task may be cancelled: for clearing up.
    ///
    /// - Parameter work: May block.
    /// - Returns: What the work returns.
    package static func runShielded<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withUnsafeContinuation { continuation in
            shared.submit { _ in
                // The pool is never shut down, so the item is always active.
                continuation.resume(returning: work())
            }
        }
    }
}
