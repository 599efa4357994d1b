import Logging

/// Opening connections, beside the tasks that wait for them.
extension ConnectionPool {
    /// Opens a connection like those of the pool, which does not belong to it; the caller must close it.
    func connectOutside() async throws -> PostgresConnection {
        try await PostgresConnection.connect(target, configuration: configuration, reactor: reactor)
    }

    /// Opens a connection for the pool, in several attempts if need be.
    func connect() async {
        var attempt = 1
        while true {
            do {
                add(try await connectOutside())
                return
            } catch {
                guard let pause = connectFailed(error, attempt: attempt) else { return }
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                attempt += 1
            }
        }
    }

    private func add(_ connection: PostgresConnection) {
        connection.onConnectionLost { [weak self, weak connection] in
            if let connection { self?.connectionEnded(connection) }
        }
        handle { $0.connected(connection, expiry: connection.expiry, at: MonotonicTime.now) }
        forgetIfEnded(connection)
    }

    /// Returns the pause before another attempt; `nil` when there is to be none.
    private func connectFailed(_ error: any Error, attempt: Int) -> Duration? {
        configuration.logger.debug(
            "Connecting failed",
            metadata: ["error": "\(error)", "attempt": "\(attempt)"]
        )
        let mayPass = (error as? DatabaseError)?.sqlState.map(SQLState.connectingAgainMayHelp) ?? true
        var pause: Duration?
        handle { pool in
            let decision = pool.connectFailed(error, attempt: attempt, mayPass: mayPass)
            pause = decision.pause
            return decision.actions
        }
        return pause
    }

    // MARK: Errors

    static let closedError = DatabaseError(code: .closed, message: "The database was closed by this program.")

    /// Returns the error for a task that gets no connection.
    func error(for failure: PoolState.Failure) -> any Error {
        switch failure {
        case .closed: Self.closedError
        case .cancelled: CancellationError()
        case .connectFailed(let error): error
        case .unreachable(let lastFailure):
            DatabaseError(
                code: .connectionFailed,
                message: "No connection to PostgreSQL (\(target.label)) could be made within "
                    + "\(configuration.acquireTimeout). Check that the server runs there and can be reached.",
                sqlState: lastFailure?.sqlState ?? SQLState.cannotConnect,
                underlying: lastFailure
            )
        case .allInUse(let lastFailure):
            DatabaseError(
                code: .poolTimeout,
                message: "No connection became free within \(configuration.acquireTimeout): all "
                    + "\(max(1, configuration.poolSize)) stayed in use. Hold connections for less long, or raise "
                    + "poolSize.",
                underlying: lastFailure
            )
        }
    }
}
