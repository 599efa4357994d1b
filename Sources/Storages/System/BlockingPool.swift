internal import NIOConcurrencyHelpers
package import NIOPosix

/// The threads for calls that block, so that the cooperative pool never waits for a disk.
///
/// Each pool is started when first used. It has 16 threads, whatever the number of cores: they wait for disks and do
/// not compute, a waiting thread costs little but its stack, and a device or a file system across a network that takes
/// 16 `fsync`s at once needs no longer than for four.
///
/// There is one for each file system that a storage lies on: a mount that hangs keeps the threads that wait for it, for
/// hours perhaps, and must not keep those of others.
package enum BlockingPool {
    /// The pool for what is on no storage: names of hosts, children, temporary files.
    package static let shared = start()

    /// The pool for the local files that are uploaded from.
    ///
    /// One for all of them: on which file system a file lies is known only when it is open, and opening it may hang.
    package static let sources = start()

    private static let pools = NIOLockedValueBox<[UInt64: NIOThreadPool]>([:])

    /// The pool for the storages on a file system.
    ///
    /// - Parameter device: The number of the file system, `st_dev`.
    /// - Returns: One that lives as long as the process: nobody knows that a thread will not hang any more.
    package static func pool(ofDevice device: UInt64) -> NIOThreadPool {
        pools.withLockedValue { pools in
            if let pool = pools[device] { return pool }
            let pool = start()
            pools[device] = pool
            return pool
        }
    }

    private static func start() -> NIOThreadPool {
        let pool = NIOThreadPool(numberOfThreads: 16)
        pool.start()
        return pool
    }

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
    /// - Parameters:
    ///   - pool: Whose threads; one of those above.
    ///   - work: May block.
    /// - Returns: What the work returns.
    package static func runShielded<Result: Sendable>(
        on pool: NIOThreadPool,
        _ work: @escaping @Sendable () -> Result
    ) async -> Result {
        await withUnsafeContinuation { continuation in
            pool.submit { _ in
                // The pool is never shut down, so the item is always active.
                continuation.resume(returning: work())
            }
        }
    }
}
