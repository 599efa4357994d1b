internal import CLibPQ
import Logging
import NIOConcurrencyHelpers

/// The work on the reactor's thread: reading results and noticing the end of the session.
extension PostgresConnection {
    /// The work that is left after the lock has been released.
    private struct Actions {
        var completion: Completion?
        var lossHandler: (@Sendable () -> Void)?
        var lossReason: DatabaseError?
        var notices: NoticeBox?
        var notifications: [DatabaseNotification] = []
        var notificationHandler: (@Sendable (DatabaseNotification) -> Void)?
    }

    func socketReady(readable: Bool, writable: Bool) {
        let actions = state.withLockedValue { state -> Actions in
            guard let handle = state.handle else { return Actions() }
            var actions = Actions(notices: handle.notices)
            if writable, PQflush(handle.pointer) == 0 {
                reactor.setWantsWrite(false, descriptor: socket, token: state.token)
            }
            let isReadable = PQconsumeInput(handle.pointer) == 1
            actions.completion = readResults(&state, handle)
            // Also makes libpq look at the last report that came while nothing was running.
            actions.notifications = takeNotifications(handle, areWanted: state.notificationHandler != nil)
            actions.notificationHandler = state.notificationHandler
            if !isReadable || PQstatus(handle.pointer) != CONNECTION_OK {
                let report = state.result?.isError == true ? state.result?.report : nil
                let reason = report?.sqlState == nil ? lossReason(handle) : report?.error ?? lossReason(handle)
                actions.lossHandler = state.lossHandler
                actions.lossReason = reason
                let completion = end(&state, because: reason)
                actions.completion = actions.completion ?? completion
            }
            return actions
        }
        if let notices = actions.notices { log(notices) }
        if let handler = actions.notificationHandler { actions.notifications.forEach(handler) }
        actions.completion?.resume()
        if let reason = actions.lossReason {
            configuration.logger.debug(
                "Connection lost",
                metadata: ["pid": "\(backendPID)", "reason": "\(reason)"]
            )
        }
        actions.lossHandler?()
    }

    /// Takes what libpq has finished; the completion of the command when that is over.
    private func readResults(_ state: inout State, _ handle: ConnectionHandle) -> Completion? {
        while state.command != nil {
            if state.isDrainingCopy {
                guard drainCopy(handle) else { return nil }
                state.isDrainingCopy = false
            }
            guard PQisBusy(handle.pointer) == 0 else { return nil }
            guard let pointer = PQgetResult(handle.pointer) else { return finish(&state, handle) }
            let result = QueryResult(owning: pointer)
            switch result.status {
            case PGRES_COPY_IN:
                _ = PQputCopyEnd(handle.pointer, "COPY FROM STDIN is not supported here")
            case PGRES_COPY_OUT, PGRES_COPY_BOTH:
                state.isDrainingCopy = true
            default:
                if result.forgetsStatements { state.statements.removeAll() }
                // Its settings are gone with the rest: the pool gives the session to nobody else.
                if result.resetsSession { state.mustBeDiscarded = true }
                // Of several statements the last counts, unless one fails.
                if state.result?.isError != true { state.result = result }
            }
        }
        return nil
    }

    /// Empties libpq's queue of notifications, which it fills with each look at the input.
    private func takeNotifications(_ handle: ConnectionHandle, areWanted: Bool) -> [DatabaseNotification] {
        var notifications: [DatabaseNotification] = []
        while let pointer = PQnotifies(handle.pointer) {
            if areWanted, let channel = pointer.pointee.relname {
                notifications.append(
                    .notification(
                        channel: String(cString: channel),
                        payload: pointer.pointee.extra.map { String(cString: $0) } ?? "",
                        processID: pointer.pointee.be_pid
                    )
                )
            }
            PQfreemem(pointer)
        }
        return notifications
    }

    /// Throws away what COPY TO STDOUT sends; false while more is to come.
    private func drainCopy(_ handle: ConnectionHandle) -> Bool {
        var buffer: UnsafeMutablePointer<CChar>?
        while true {
            let count = PQgetCopyData(handle.pointer, &buffer, 1)
            if count == 0 { return false }
            guard count > 0 else { return true }
            PQfreemem(buffer)
            buffer = nil
        }
    }

    private func finish(_ state: inout State, _ handle: ConnectionHandle) -> Completion? {
        guard let command = state.command else { return nil }
        let outcome = outcome(of: command, &state, handle)
        state.command = nil
        state.result = nil
        let completion = Completion(continuation: command.continuation, result: outcome)
        if state.isCancelInFlight {
            // The request may still be on its way to the server; it would stop the next command instead.
            state.parked = completion
            return nil
        }
        if let timer = state.graceTimer {
            reactor.cancelTimer(timer)
            state.graceTimer = nil
        }
        return completion
    }

    private func outcome(
        of command: Command,
        _ state: inout State,
        _ handle: ConnectionHandle
    ) -> Result<QueryResult?, any Error> {
        guard let result = state.result else { return .failure(lossReason(handle)) }
        guard result.isError else { return .success(result) }
        let report = result.report
        // Made up by libpq. The server may have said more, before the command was sent.
        if report.sqlState == nil {
            state.mustBeDiscarded = true
            return .failure(lossReason(handle))
        }
        if report.isFatal || report.sqlState.map(SQLState.endsSession) ?? true {
            // The server closes the socket next; the connection must not be lent until then.
            state.mustBeDiscarded = true
        }
        if report.sqlState == SQLState.readOnlyTransaction, target.requiresReadWrite {
            // A server that failed over: reconnecting finds the new primary.
            state.mustBeDiscarded = true
        }
        if report.sqlState == SQLState.queryCancelled, command.isCancelRequested {
            return .failure(CancellationError())
        }
        return .failure(report.error)
    }

    /// Returns the reason why the session broke: the server's last report if there was one, else what libpq saw.
    private func lossReason(_ handle: ConnectionHandle) -> DatabaseError {
        if let fatal = handle.notices.lastFatal {
            let said = target.disclosure.shown(report: ServerReport.oneLine(fatal.message), sqlState: fatal.sqlState)
            return DatabaseError(
                code: .connectionLost,
                message: "The server ended the connection: \(said).",
                sqlState: fatal.sqlState
            )
        }
        return DatabaseError(
            code: .connectionLost,
            message: "The connection to the server was lost (\(target.label)): "
                + "\(target.disclosure.shown(handle.errorMessage)).",
            sqlState: "08006"
        )
    }

    private func log(_ notices: NoticeBox) {
        for report in notices.drain() {
            let level: Logger.Level =
                switch report.severity {
                case "WARNING", "FATAL", "PANIC": .warning
                case "NOTICE", "INFO": .info
                default: .debug
                }
            configuration.logger.log(
                level: level,
                "\(ServerReport.showable(report.message, sqlState: report.sqlState ?? ""))",
                metadata: ["sqlState": "\(report.sqlState ?? "")", "pid": "\(backendPID)"]
            )
        }
    }
}
