import NIOConcurrencyHelpers
import NIOCore

/// A semaphore for tasks, whose permits have weights and are granted in the order of the requests.
///
/// A request for a large weight is not overtaken by requests for small ones, so it is granted in the end.
package final class AsyncSemaphore: Sendable {
    /// An error of a wait that ended without a permit.
    package enum WaitError: Error {
        /// The wait took longer than its limit.
        case timedOut
        /// As many tasks wait already as may.
        case tooManyWaiters
    }

    /// A permit, released when its last reference goes, or before.
    package final class Permit: Sendable {
        /// The weight that is held.
        package let weight: Int
        private let semaphore: NIOLockedValueBox<AsyncSemaphore?>

        fileprivate init(_ weight: Int, of semaphore: AsyncSemaphore) {
            self.weight = weight
            self.semaphore = NIOLockedValueBox(semaphore)
        }

        deinit {
            release()
        }

        /// Releases the weight; does nothing when it is released already.
        package func release() {
            let semaphore = semaphore.withLockedValue { semaphore in
                defer { semaphore = nil }
                return semaphore
            }
            semaphore?.release(weight)
        }
    }

    private struct Waiter {
        let id: UInt64
        let weight: Int
        let continuation: CheckedContinuation<Void, any Error>
        /// The task that ends the wait at its limit.
        let timer: Task<Void, Never>?

        func end(with result: Result<Void, any Error>) {
            timer?.cancel()
            continuation.resume(with: result)
        }
    }

    private struct State {
        var free: Int
        var waiters: CircularBuffer<Waiter> = []
        var lastID: UInt64 = 0

        mutating func take(_ weight: Int) -> Bool {
            guard waiters.isEmpty, free >= weight else { return false }
            free -= weight
            return true
        }

        /// Takes the waiters out whose turn it is.
        mutating func admit() -> [Waiter] {
            var admitted: [Waiter] = []
            while let first = waiters.first, free >= first.weight {
                free -= first.weight
                admitted.append(waiters.removeFirst())
            }
            return admitted
        }
    }

    /// The weight of all permits together.
    package let capacity: Int
    private let maxWaiters: Int
    private let state: NIOLockedValueBox<State>

    /// Creates a semaphore.
    ///
    /// - Parameters:
    ///   - capacity: The weight of all permits together, at least 1.
    ///   - maxWaiters: The most tasks that may wait. Default: no bound.
    package init(capacity: Int, maxWaiters: Int = .max) {
        self.capacity = max(1, capacity)
        self.maxWaiters = maxWaiters
        state = NIOLockedValueBox(State(free: max(1, capacity)))
    }

    /// The weight that no permit holds.
    package var free: Int { state.withLockedValue { $0.free } }

    /// The weight that permits hold.
    package var inUse: Int { capacity - free }

    /// The number of tasks that wait.
    package var waiterCount: Int { state.withLockedValue { $0.waiters.count } }

    /// Waits for a permit.
    ///
    /// - Parameters:
    ///   - weight: The weight; what is above the capacity counts as all of it, and what is below 1 as 1.
    ///   - limit: The longest to wait. Default: no limit.
    /// - Returns: The permit.
    /// - Throws: ``WaitError``; `CancellationError`, also when the task is cancelled as it gets the permit.
    package func acquire(weight: Int = 1, within limit: Duration? = nil) async throws -> Permit {
        try Task.checkCancellation()
        if let permit = tryAcquire(weight: weight) { return permit }
        let weight = clamped(weight)
        let id = state.withLockedValue { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = enqueue(id, weight: weight, within: limit, continuation)
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            end(id, throwing: CancellationError())
        }
        let permit = Permit(weight, of: self)
        try Task.checkCancellation()
        return permit
    }

    /// Takes a permit at once; returns `nil` when the weight is not free, or others wait.
    package func tryAcquire(weight: Int = 1) -> Permit? {
        let weight = clamped(weight)
        return state.withLockedValue { $0.take(weight) } ? Permit(weight, of: self) : nil
    }

    /// Runs a body that holds a permit of weight 1.
    ///
    /// Not to be nested: a body that waits for a second permit may wait for itself.
    ///
    /// - Throws: `CancellationError`; ``WaitError/tooManyWaiters``; the error of the body.
    package func withPermit<Result>(_ body: () async throws -> Result) async throws -> Result {
        let permit = try await acquire()
        defer { permit.release() }
        return try await body()
    }

    private func clamped(_ weight: Int) -> Int {
        min(max(1, weight), capacity)
    }

    /// Adds a waiter; returns the result of one that need not wait.
    private func enqueue(
        _ id: UInt64,
        weight: Int,
        within limit: Duration?,
        _ continuation: CheckedContinuation<Void, any Error>
    ) -> Result<Void, any Error>? {
        state.withLockedValue { state in
            // Looked at under the lock: a cancellation from now on finds the waiter.
            if Task.isCancelled { return .failure(CancellationError()) }
            if state.take(weight) { return .success(()) }
            guard state.waiters.count < maxWaiters else { return .failure(WaitError.tooManyWaiters) }
            // Made under the lock, so that it cannot end before the waiter is there.
            let timer = limit.map { limit in
                Task {
                    guard (try? await Task.sleep(for: limit)) != nil else { return }
                    self.end(id, throwing: WaitError.timedOut)
                }
            }
            state.waiters.append(Waiter(id: id, weight: weight, continuation: continuation, timer: timer))
            return nil
        }
    }

    private func end(_ id: UInt64, throwing error: any Error) {
        let (waiter, admitted) = state.withLockedValue { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return (nil, []) }
            let waiter = state.waiters.remove(at: index)
            // It may have held up those behind it.
            return (waiter, state.admit())
        }
        waiter?.end(with: .failure(error))
        for waiter in admitted { waiter.end(with: .success(())) }
    }

    private func release(_ weight: Int) {
        let admitted = state.withLockedValue { state in
            state.free += weight
            return state.admit()
        }
        for waiter in admitted { waiter.end(with: .success(())) }
    }
}
