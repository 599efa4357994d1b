import NIOConcurrencyHelpers

/// Calls that tasks share: those that ask for the same key while a call for it is under way wait for that one.
///
/// A call runs in a task of its own, so it outlives the task that began it. A task that is cancelled stops waiting;
/// when no task waits any more the call is cancelled. Calls for the same key never overlap: the one after a cancelled
/// call begins when that has ended. Values are not kept; the next task that asks begins another call.
package final class SingleFlight<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<Value, any Error>

    private struct Call {
        let number: UInt64
        /// The number of the waiter that began it.
        let beginner: UInt64
        let task: Task<Value, any Error>
        var waiters: [UInt64: Continuation] = [:]
        /// The value, from when it is there until the work that follows has ended.
        var value: Value?
        /// A Boolean value that indicates whether the call was cancelled because no task waited any more.
        var isAbandoned = false
    }

    private struct State {
        var calls: [Key: Call] = [:]
        var lastNumber: UInt64 = 0

        mutating func makeNumber() -> UInt64 {
            lastNumber += 1
            return lastNumber
        }
    }

    private let inheritsTaskLocals: Bool
    private let state = NIOLockedValueBox(State())

    /// Creates an instance without calls.
    ///
    /// - Parameter inheritsTaskLocals: Whether a call has the task-local values and the priority of the task that
    ///   began it.
    package init(inheritsTaskLocals: Bool) {
        self.inheritsTaskLocals = inheritsTaskLocals
    }

    /// The number of keys for which a call is under way, or was cancelled and has not ended.
    package var callCount: Int { state.withLockedValue { $0.calls.count } }

    /// Returns the number of tasks that wait for the call for a key.
    package func waiterCount(for key: Key) -> Int {
        state.withLockedValue { $0.calls[key]?.waiters.count ?? 0 }
    }

    /// Waits for the call for a key that is under way, or begins one.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - call: The call to begin when there is none.
    ///   - followUp: Work that follows a call that succeeded. Only the task that began the call waits for it; tasks
    ///     that ask meanwhile get the value at once. It is not cancelled. Default: none.
    /// - Returns: The value of the call.
    /// - Throws: The error of the call; `CancellationError` when the task is cancelled, without waiting for the call.
    package func value(
        for key: Key,
        _ call: @escaping @Sendable () async throws -> Value,
        followUp: (@Sendable (Value) async -> Void)? = nil
    ) async throws -> Value {
        let waiter = state.withLockedValue { $0.makeNumber() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Value, any Error>? = state.withLockedValue { state in
                    // Looked at under the lock: a cancellation from now on finds the waiter.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    let current = state.calls[key]
                    if let value = current?.value { return .success(value) }
                    if current?.isAbandoned ?? true {
                        let number = state.makeNumber()
                        // Begun under the lock: it cannot end before it is known.
                        let task = begin(number, key, after: current?.task, call, followUp)
                        state.calls[key] = Call(number: number, beginner: waiter, task: task)
                    }
                    state.calls[key]?.waiters[waiter] = continuation
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            leave(key, waiter)
        }
    }

    private func begin(
        _ number: UInt64,
        _ key: Key,
        after previous: Task<Value, any Error>?,
        _ call: @escaping @Sendable () async throws -> Value,
        _ followUp: (@Sendable (Value) async -> Void)?
    ) -> Task<Value, any Error> {
        let task = makeTask {
            _ = await previous?.result
            try Task.checkCancellation()
            return try await call()
        }
        // Apart from the call: what follows is not cancelled with it, and the next call does not wait for it.
        _ = makeTask { [self] in
            let result = await task.result
            if let followUp, case .success(let value) = result {
                share(value, key, number)
                await followUp(value)
            }
            end(key, number, with: result)
        }
        return task
    }

    private func makeTask<Result: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Result
    ) -> Task<Result, any Error> {
        inheritsTaskLocals ? Task { try await operation() } : Task.detached { try await operation() }
    }

    /// Ends the wait of a task that was cancelled; the last one cancels the call.
    private func leave(_ key: Key, _ waiter: UInt64) {
        let (continuation, abandoned) = state.withLockedValue { state -> (Continuation?, Task<Value, any Error>?) in
            guard var call = state.calls[key], let continuation = call.waiters.removeValue(forKey: waiter) else {
                return (nil, nil)
            }
            call.isAbandoned = call.waiters.isEmpty && call.value == nil
            state.calls[key] = call
            return (continuation, call.isAbandoned ? call.task : nil)
        }
        abandoned?.cancel()
        continuation?.resume(throwing: CancellationError())
    }

    /// Gives the value to all tasks but the one that began the call.
    private func share(_ value: Value, _ key: Key, _ number: UInt64) {
        let followers = state.withLockedValue { state -> [Continuation] in
            guard var call = state.calls[key], call.number == number, !call.isAbandoned else { return [] }
            let beginner = call.waiters.removeValue(forKey: call.beginner)
            let followers = Array(call.waiters.values)
            call.waiters = [:]
            call.waiters[call.beginner] = beginner
            call.value = value
            state.calls[key] = call
            return followers
        }
        for follower in followers { follower.resume(returning: value) }
    }

    private func end(_ key: Key, _ number: UInt64, with result: Result<Value, any Error>) {
        let waiters = state.withLockedValue { state -> [Continuation] in
            guard let call = state.calls[key], call.number == number else { return [] }
            state.calls[key] = nil
            return Array(call.waiters.values)
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}
