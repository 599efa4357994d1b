import NIOConcurrencyHelpers
import NIOCore

/// A semaphore whose permits have weights, granted in the order of the requests.
///
/// A request for a large weight is not overtaken by requests for small ones, so it is granted in the end.
final class WeightedSemaphore: Sendable {
    private struct Waiter {
        let id: UInt64
        let weight: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int
        var waiters: CircularBuffer<Waiter> = []
        var nextID: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    let capacity: Int
    private let state: NIOLockedValueBox<State>

    init(capacity: Int) {
        self.capacity = max(1, capacity)
        state = NIOLockedValueBox(State(free: max(1, capacity)))
    }

    /// Waits for a turn.
    ///
    /// - Parameters:
    ///   - weight: The weight that is wanted; what is above the capacity counts as all of it.
    ///   - limit: The longest to wait. `nil`: no limit.
    /// - Returns: A permit, which releases the weight when its last reference goes.
    /// - Throws: ``WaitLimitPassed``; `CancellationError`.
    func acquire(weight: Int = 1, within limit: Duration? = nil) async throws -> Permit {
        let weight = min(max(1, weight), capacity)
        try Task.checkCancellation()
        let id: UInt64? = state.withLockedValue { state in
            if state.waiters.isEmpty, state.free >= weight {
                state.free -= weight
                return nil
            }
            state.nextID += 1
            return state.nextID
        }
        if let id { try await wait(id, weight, limit) }
        return Permit(self, weight)
    }

    /// Takes a weight of one at once; `nil` when it is not free, or others wait.
    func acquireImmediately() -> Permit? {
        let isIn = state.withLockedValue { state in
            guard state.waiters.isEmpty, state.free >= 1 else { return false }
            state.free -= 1
            return true
        }
        return isIn ? Permit(self, 1) : nil
    }

    private func wait(_ id: UInt64, _ weight: Int, _ limit: Duration?) async throws {
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                end(id, WaitLimitPassed())
            }
        }
        defer {
            timer?.cancel()
            _ = state.withLockedValue { $0.cancelled.remove(id) }
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Void, any Error>? = state.withLockedValue { state in
                    if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                    if state.waiters.isEmpty, state.free >= weight {
                        state.free -= weight
                        return .success(())
                    }
                    state.waiters.append(Waiter(id: id, weight: weight, continuation: continuation))
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            end(id, CancellationError())
        }
    }

    private func end(_ id: UInt64, _ error: any Error) {
        let (waiter, admitted) = state.withLockedValue { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                // It may be cancelled before it waits; a timer that is late finds nobody and means nothing.
                if error is CancellationError { state.cancelled.insert(id) }
                return (nil, [])
            }
            let waiter = state.waiters.remove(at: index)
            return (waiter, Self.admit(&state))
        }
        waiter?.continuation.resume(throwing: error)
        admitted.forEach { $0.continuation.resume() }
    }

    fileprivate func release(_ weight: Int) {
        let admitted = state.withLockedValue { state in
            state.free += weight
            return Self.admit(&state)
        }
        admitted.forEach { $0.continuation.resume() }
    }

    private static func admit(_ state: inout State) -> [Waiter] {
        var admitted: [Waiter] = []
        while let first = state.waiters.first, state.free >= first.weight {
            state.free -= first.weight
            admitted.append(state.waiters.removeFirst())
        }
        return admitted
    }

    /// The weight that is admitted at the moment.
    var inUse: Int { state.withLockedValue { capacity - $0.free } }
    /// The number of tasks that wait.
    var waiting: Int { state.withLockedValue { $0.waiters.count } }
}

/// A permit of a ``WeightedSemaphore``, released when the last reference goes, or before.
final class Permit: Sendable {
    private let held: NIOLockedValueBox<WeightedSemaphore?>
    private let weight: Int

    fileprivate init(_ semaphore: WeightedSemaphore, _ weight: Int) {
        held = NIOLockedValueBox(semaphore)
        self.weight = weight
    }

    func release() {
        let semaphore = held.withLockedValue { semaphore in
            defer { semaphore = nil }
            return semaphore
        }
        semaphore?.release(weight)
    }

    deinit {
        release()
    }
}
