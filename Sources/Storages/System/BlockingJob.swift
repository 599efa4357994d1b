import NIOConcurrencyHelpers

/// Blocking work on its way to a thread: begun once, or dropped before.
final class BlockingJob<Result: Sendable>: Sendable {
    private enum State {
        case created
        case queued(@Sendable () throws -> Result, UnsafeContinuation<Result, any Error>)
        /// Begun, or over before it began.
        case taken((any Error)?)
    }

    private let state = NIOLockedValueBox(State.created)

    /// Takes the work; returns whether it is still wanted, and ends the wait when it is not.
    func enqueue(
        _ work: @escaping @Sendable () throws -> Result,
        _ continuation: UnsafeContinuation<Result, any Error>
    ) -> Bool {
        let failure: (any Error)? = state.withLockedValue { state in
            if case .taken(let error) = state { return error ?? CancellationError() }
            state = .queued(work, continuation)
            return nil
        }
        guard let failure else { return true }
        continuation.resume(throwing: failure)
        return false
    }

    /// Does the work on this thread, unless it has failed.
    func start() {
        guard case .queued(let work, let continuation) = take(failure: nil) else { return }
        continuation.resume(with: Swift.Result(catching: work))
    }

    /// Ends the wait at once, unless the work has begun.
    func fail(with error: any Error) {
        guard case .queued(_, let continuation) = take(failure: error) else { return }
        continuation.resume(throwing: error)
    }

    /// The state until now; afterwards the job holds neither work nor continuation.
    private func take(failure: (any Error)?) -> State {
        state.withLockedValue { state in
            let old = state
            if case .taken = old { return old }
            state = .taken(failure)
            return old
        }
    }
}
