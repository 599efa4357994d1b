import NIOConcurrencyHelpers
import NIOCore

/// Tasks that found no idle connection.
extension ConnectionPool {
    func enqueue(_ waiter: Waiter) {
        let now = MonotonicTime.now
        typealias Answer = Result<PostgresConnection, any Error>
        let (answer, worn) = state.withLockedValue { state -> (Answer?, [PostgresConnection]) in
            if state.isClosed { return (.failure(Self.closedError), []) }
            // Under the lock: a cancellation from here on finds the waiter, one before it is seen here.
            if Task.isCancelled { return (.failure(CancellationError()), []) }
            let (connection, worn) = takeIdle(&state, now)
            if let connection { return (.success(connection), worn) }
            state.waiters.append(waiter)
            connectIfNeeded(&state)
            setWaiterTimerIfNeeded(&state, now)
            return (nil, worn)
        }
        worn.forEach { $0.close() }
        if let answer { waiter.continuation.resume(with: answer) }
    }

    func drop(_ id: UInt64) {
        let waiter = state.withLockedValue { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    /// Sets one timer for all waiters: they have the same timeout, so the first is also the first to reach it.
    private func setWaiterTimerIfNeeded(_ state: inout State, _ now: UInt64) {
        guard !state.isWaiterTimerSet, let first = state.waiters.first else { return }
        state.isWaiterTimerSet = true
        let pause = Duration.nanoseconds(Int64(clamping: first.deadline - min(now, first.deadline)))
        _ = reactor.schedule(after: pause) { [weak self] in self?.expireWaiters() }
    }

    private func expireWaiters() {
        let now = MonotonicTime.now
        let (late, error) = state.withLockedValue { state in
            state.isWaiterTimerSet = false
            var late: [Waiter] = []
            while let first = state.waiters.first, first.deadline <= now { late.append(state.waiters.removeFirst()) }
            setWaiterTimerIfNeeded(&state, now)
            return (late, timeoutError(state))
        }
        for waiter in late { waiter.continuation.resume(throwing: error) }
    }

    /// Returns the error for a task that got no connection in time: none was given back, or the server gave none.
    private func timeoutError(_ state: State) -> DatabaseError {
        if state.members.isEmpty, state.lastFailure != nil || state.connecting > 0 {
            return DatabaseError(
                code: .connectionFailed,
                message: "No connection to PostgreSQL (\(target.label)) could be made within "
                    + "\(configuration.acquireTimeout). Check that the server runs there and can be reached.",
                sqlState: state.lastFailure?.sqlState ?? SQLState.cannotConnect,
                underlying: state.lastFailure
            )
        }
        return DatabaseError(
            code: .poolTimeout,
            message: "No connection became free within \(configuration.acquireTimeout): all \(limit) stayed in use. "
                + "Hold connections for less long, or raise poolSize.",
            underlying: state.lastFailure
        )
    }
}
