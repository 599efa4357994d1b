import Logging
import NIOConcurrencyHelpers

/// Opening connections, beside those who wait for them.
extension ConnectionPool {
    /// Opens a connection like those of the pool, which does not belong to it; the caller must close it.
    func connectOutside() async throws -> PostgresConnection {
        try await PostgresConnection.connect(target, configuration: configuration, reactor: reactor)
    }

    func connectIfNeeded(_ state: inout State) {
        guard !state.isClosed else { return }
        let wanted = min(state.waiters.count, limit - state.members.count) - state.connecting
        guard wanted > 0 else { return }
        state.connecting += wanted
        for _ in 0..<wanted { Task.detached { await self.connect() } }
    }

    private func connect() async {
        var pause = configuration.connectBackoff
        for attempt in 1...max(1, configuration.connectAttempts) {
            do {
                adopt(try await connectOutside())
                return
            } catch {
                let mayPass = (error as? DatabaseError)?.sqlState.map(SQLState.connectingAgainMayHelp) ?? true
                configuration.logger.debug(
                    "Connecting failed",
                    metadata: ["error": "\(error)", "attempt": "\(attempt)"]
                )
                // Whoever runs out of patience meanwhile is told why.
                let isClosed = state.withLockedValue { state in
                    state.lastFailure = error as? DatabaseError
                    return state.isClosed
                }
                if attempt >= configuration.connectAttempts || !mayPass || isClosed {
                    connectingFailed(error)
                    return
                }
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private func adopt(_ connection: PostgresConnection) {
        connection.onDeath { [weak self, weak connection] in
            if let connection { self?.connectionDied(connection) }
        }
        state.withLockedValue { state in
            state.connecting -= 1
            state.members[ObjectIdentifier(connection)] = connection
            state.created += 1
            state.lastFailure = nil
            state.failedRounds = 0
        }
        handOver(connection)
    }

    private func connectingFailed(_ error: any Error) {
        let (waiters, closers) = state.withLockedValue { state -> ([Waiter], [UnsafeContinuation<Void, Never>]) in
            state.connecting -= 1
            // As long as another connection is open or about to be, it can serve those who wait.
            guard state.members.isEmpty, state.connecting == 0 else {
                setRetryIfNeeded(&state)
                return ([], [])
            }
            let waiters = Array(state.waiters)
            state.waiters.removeAll()
            return (waiters, takeClosers(&state))
        }
        for waiter in waiters { waiter.continuation.resume(throwing: error) }
        closers.forEach { $0.resume() }
    }

    /// Sets a timer for another attempt if tasks wait: they must not depend on the connections that are left, which may
    /// be held for long.
    private func setRetryIfNeeded(_ state: inout State) {
        guard !state.isRetrySet, !state.isClosed, !state.waiters.isEmpty else { return }
        state.isRetrySet = true
        let longest = Duration.seconds(5)
        let pause = min(longest, configuration.connectBackoff * (1 << min(state.failedRounds, 10)))
        state.failedRounds += 1
        _ = reactor.schedule(after: pause) { [weak self] in
            guard let self else { return }
            self.state.withLockedValue { state in
                state.isRetrySet = false
                connectIfNeeded(&state)
            }
        }
    }
}
