import NIOConcurrencyHelpers

/// Stopping a command whose task was cancelled, without ever hitting the one after it.
extension PostgresConnection {
    /// Stops the command of this operation if one is running; called from cancellation handlers, on any thread.
    func cancel(_ operation: UInt64) {
        let request = state.withLockedValue { state -> CancelHandle? in
            guard let command = state.command, command.operation == operation, command.isCancellable,
                !command.isCancelRequested, let handle = state.handle, let request = CancelHandle(for: handle)
            else { return nil }
            state.command?.isCancelRequested = true
            state.isCancelInFlight = true
            state.graceTimer = reactor.schedule(after: configuration.cancellationGracePeriod) { [weak self] in
                self?.gracePeriodIsOver(operation)
            }
            return request
        }
        if let request { send(request, for: operation, pause: .milliseconds(250)) }
    }

    /// Sends a request, and another after a pause as long as the command goes on.
    ///
    /// A server that has not begun with a command yet has nothing to stop, and forgets the request.
    private func send(_ request: CancelHandle, for operation: UInt64, pause: Duration) {
        let isStarted = PrivateThread.start { [self] in
            request.send()
            cancelRequestReturned()
            _ = reactor.schedule(after: pause) { [weak self] in self?.sendAgain(for: operation, pause: pause * 2) }
        }
        // Without a thread the command goes on until the grace period ends it.
        if !isStarted { cancelRequestReturned() }
    }

    private func sendAgain(for operation: UInt64, pause: Duration) {
        let request = state.withLockedValue { state -> CancelHandle? in
            guard state.command?.operation == operation, !state.isCancelInFlight, let handle = state.handle,
                let request = CancelHandle(for: handle)
            else { return nil }
            state.isCancelInFlight = true
            return request
        }
        if let request { send(request, for: operation, pause: min(pause, .seconds(2))) }
    }

    /// Ends the time of a cancel request: what was held back may go on.
    private func cancelRequestReturned() {
        let parked = state.withLockedValue { state -> Completion? in
            state.isCancelInFlight = false
            guard let parked = state.parked else { return nil }
            state.parked = nil
            if let timer = state.graceTimer {
                reactor.cancelTimer(timer)
                state.graceTimer = nil
            }
            return parked
        }
        parked?.resume()
    }

    /// The server did not stop the command, or never responded to the request: the session cannot be trusted any more.
    private func gracePeriodIsOver(_ operation: UInt64) {
        let (completion, lossHandler) = state.withLockedValue { state -> (Completion?, (@Sendable () -> Void)?) in
            state.graceTimer = nil
            guard state.parked != nil || state.command?.operation == operation else { return (nil, nil) }
            let reason = DatabaseError(
                code: .connectionLost,
                message: "A cancelled statement did not stop within \(configuration.cancellationGracePeriod); its "
                    + "connection was closed."
            )
            return (end(&state, because: reason), state.lossHandler)
        }
        completion?.resume()
        lossHandler?()
    }
}
