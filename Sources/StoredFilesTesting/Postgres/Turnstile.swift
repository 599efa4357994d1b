import NIOConcurrencyHelpers

/// A limit on how many tests run a body at the same time: tests run all at once, and a server takes only so many
/// sessions.
package final class Turnstile: Sendable {
    private struct State {
        var free: Int
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// The turnstile for tests that each open a few connections to the shared server.
    package static let sharedServer = Turnstile(width: 32)

    private let state: NIOLockedValueBox<State>

    init(width: Int) {
        state = NIOLockedValueBox(State(free: width))
    }

    /// Runs a body when it is its turn; who waits longest is next.
    ///
    /// Cancellation does not end the wait, which ends by itself. Not to be nested.
    package func pass<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        await enter()
        defer { leave() }
        return try await body()
    }

    private func enter() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLockedValue { state in
                guard state.free > 0 else {
                    state.waiting.append(continuation)
                    return false
                }
                state.free -= 1
                return true
            }
            if isFree { continuation.resume() }
        }
    }

    private func leave() {
        let next = state.withLockedValue { state -> CheckedContinuation<Void, Never>? in
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiting.removeFirst()
        }
        next?.resume()
    }
}
