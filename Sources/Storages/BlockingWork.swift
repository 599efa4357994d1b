import NIOConcurrencyHelpers

/// One piece of blocking work on its way to a thread, and the task that waits for it.
///
/// `NIOThreadPool.runIfActive` keeps what it was given until a thread comes to it, and remembers for ever an item that
/// was cancelled while it ran. Here cancelling lets go at once of the work and all that it holds, and nothing is
/// remembered but this empty box until a thread throws it away.
final class BlockingWork<Output: Sendable>: Sendable {
    typealias Work = @Sendable () throws -> Output

    private enum State {
        case new(Work)
        case queued(Work, CheckedContinuation<Output, any Error>)
        case running
        case over
    }

    private let state: NIOLockedValueBox<State>

    init(_ work: @escaping Work) {
        state = NIOLockedValueBox(.new(work))
    }

    /// Says who waits; `false`, and the waiter has its answer, when the task was cancelled before.
    func wait(_ continuation: CheckedContinuation<Output, any Error>) -> Bool {
        let isCancelled = state.withLockedValue { state in
            guard case .new(let work) = state else { return true }
            state = .queued(work, continuation)
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
        return !isCancelled
    }

    /// Called on the thread: does the work, unless it was cancelled.
    func run(isActive: Bool) {
        let taken: (Work, CheckedContinuation<Output, any Error>)? = state.withLockedValue { state in
            guard case .queued(let work, let continuation) = state else { return nil }
            state = .running
            return (work, continuation)
        }
        guard let (work, continuation) = taken else { return }
        // A pool that is shut down hands out its items without threads to run them on.
        continuation.resume(with: isActive ? Result { try work() } : .failure(CancellationError()))
        state.withLockedValue { $0 = .over }
    }

    /// Drops work that has not begun; work that has is waited for.
    func cancel() {
        let dropped = state.withLockedValue { state -> State in
            let before = state
            switch state {
            case .new, .queued: state = .over
            case .running, .over: break
            }
            return before
        }
        if case .queued(_, let continuation) = dropped { continuation.resume(throwing: CancellationError()) }
    }
}
