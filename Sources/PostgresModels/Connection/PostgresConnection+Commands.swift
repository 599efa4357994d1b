internal import CLibPQ
import NIOConcurrencyHelpers
import NIOCore
import Synchronization

/// Sending commands.
extension PostgresConnection {
    /// Runs one statement with bound values; rows come back in binary format.
    ///
    /// - Parameters:
    ///   - sql: one statement, with `$1`, `$2`, … for the values.
    ///   - parameters: the values, at most 65,535.
    ///   - cache: whether to prepare the statement once for the session and reuse it; true by default. Has no effect
    ///     when the configuration says `.off`.
    /// - Throws: `DatabaseError` with the code that the server's SQLSTATE stands for; `.connectionLost` when the
    ///   session broke (the statement may have taken effect), `.commandInProgress`, `.closed`, `.invalidArgument`;
    ///   `CancellationError` when the task was cancelled: the statement was stopped, or, when the server did not stop
    ///   it within the grace period, its connection was closed; then it may have taken effect.
    @discardableResult
    package func query(
        _ sql: String,
        _ parameters: QueryParameters = QueryParameters(),
        cache: Bool = true
    ) async throws -> QueryResult {
        guard parameters.count <= Int(UInt16.max) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "A statement can bind 65535 values, not \(parameters.count). Bind arrays (unnest) instead."
            )
        }
        let isPrepared = cache && configuration.preparedStatements == .cached && keepsStatements
        let operation = nextOperation.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await withTaskCancellationHandler {
            if isPrepared { return try await runPrepared(sql, parameters, operation: operation) }
            return try await runUnprepared(sql, parameters, operation: operation)
        } onCancel: {
            cancel(operation)
        }
    }

    func runUnprepared(
        _ sql: String,
        _ parameters: QueryParameters,
        operation: UInt64
    ) async throws -> QueryResult {
        try Self.refuseNUL(in: sql)
        return try await unwrap(
            command(operation, cancellable: true) { _, connection in
                Self.withArrays(of: parameters) { count, values, lengths, formats in
                    let oids = parameters.oids
                    return Sent(PQsendQueryParams(connection, sql, count, oids, values, lengths, formats, 1))
                }
            }
        )
    }

    /// Runs SQL text, possibly several statements as one implicit transaction; rows come back as text.
    ///
    /// - Parameters:
    ///   - sql: the statements. Of several results the last is returned, unless one fails.
    ///   - cancellable: whether cancelling the task stops the statement; true by default. False for ROLLBACK, COMMIT
    ///     and what else must run although the task was cancelled.
    ///   - limit: after how long the session is given up; nil, the default, waits.
    /// - Throws: as `query`.
    @discardableResult
    package func simpleQuery(
        _ sql: String,
        cancellable: Bool = true,
        within limit: Duration? = nil
    ) async throws -> QueryResult {
        try Self.refuseNUL(in: sql)
        let operation = nextOperation.wrappingAdd(1, ordering: .relaxed).oldValue
        let timer = limit.map { limit in
            reactor.schedule(after: limit) { [weak self] in self?.abandon(operation, after: limit) }
        }
        defer { if let timer { reactor.cancelTimer(timer) } }
        guard cancellable else { return try await sendSimple(sql, operation: operation, cancellable: false) }
        return try await withTaskCancellationHandler {
            try await sendSimple(sql, operation: operation, cancellable: true)
        } onCancel: {
            cancel(operation)
        }
    }

    private func sendSimple(_ sql: String, operation: UInt64, cancellable: Bool) async throws -> QueryResult {
        try await unwrap(
            command(operation, cancellable: cancellable) { _, connection in Sent(PQsendQuery(connection, sql)) }
        )
    }

    private func abandon(_ operation: UInt64, after limit: Duration) {
        let (completion, handler) = state.withLockedValue { state -> (Completion?, (@Sendable () -> Void)?) in
            guard state.command?.operation == operation else { return (nil, nil) }
            let reason = DatabaseError(
                code: .connectionLost,
                message: "The server did not respond within \(limit); the connection was closed."
            )
            return (end(&state, because: reason), state.lossHandler)
        }
        completion?.resume()
        handler?()
    }

    // MARK: One command

    /// The outcome of an attempt to send.
    enum Sent {
        case sent, refused, notPrepared

        init(_ status: Int32) {
            self = status == 1 ? .sent : .refused
        }
    }

    /// Sends a command under the lock and waits for its result; nil when `send` said `.notPrepared`.
    func command(
        _ operation: UInt64,
        cancellable: Bool,
        _ send: (inout State, OpaquePointer) -> Sent
    ) async throws -> QueryResult? {
        try await withUnsafeThrowingContinuation { (continuation: Continuation) in
            let outcome = state.withLockedValue { state -> Result<QueryResult?, any Error>? in
                // Under the lock: a cancellation from here on finds the command, one before it is seen here. And first:
                // when the grace period of an earlier part of the operation ended the session, that is what the task
                // asked for.
                if cancellable, Task.isCancelled { return .failure(CancellationError()) }
                if let reason = state.endReason { return .failure(reason) }
                guard let handle = state.handle, state.command == nil, state.parked == nil else {
                    return .failure(
                        DatabaseError(
                            code: .commandInProgress,
                            message: "The connection is running another command. Wait for it, or use a second one."
                        )
                    )
                }
                switch send(&state, handle.pointer) {
                case .notPrepared:
                    return .success(nil)
                case .refused:
                    return .failure(refusal(&state, handle))
                case .sent:
                    state.command = Command(
                        operation: operation,
                        isCancellable: cancellable,
                        continuation: continuation
                    )
                    if PQflush(handle.pointer) == 1 {
                        reactor.setWantsWrite(true, descriptor: socket, token: state.token)
                    }
                    noticeEnd(handle)
                    return nil
                }
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }

    /// Makes the reactor look at a session whose end libpq met while it was sending.
    ///
    /// libpq has closed the socket then, and a closed socket is never ready: without this the command would wait for
    /// ever, and the handler of the session's end would never be called.
    private func noticeEnd(_ handle: ConnectionHandle) {
        guard PQstatus(handle.pointer) != CONNECTION_OK else { return }
        _ = reactor.schedule(after: .zero) { [self] in socketReady(readable: true, writable: false) }
    }

    /// Returns the error for a command that was not sent.
    private func refusal(_ state: inout State, _ handle: ConnectionHandle) -> DatabaseError {
        noticeEnd(handle)
        let isBroken = PQstatus(handle.pointer) != CONNECTION_OK
        if isBroken { state.mustBeDiscarded = true }
        return DatabaseError(
            code: isBroken ? .connectionLost : .invalidArgument,
            message: "The statement could not be sent: \(handle.errorMessage).",
            sqlState: isBroken ? "08006" : nil
        )
    }

    private func unwrap(_ result: QueryResult?) throws -> QueryResult {
        guard let result else {
            throw DatabaseError(code: .queryFailed, message: "The server responded without a result.")
        }
        return result
    }

    static func refuseNUL(in sql: String) throws {
        guard !sql.utf8.contains(0) else {
            throw DatabaseError(
                code: .invalidArgument,
                message: "SQL cannot contain a NUL character: the server would run only what precedes it."
            )
        }
    }

    /// The parameters as the parallel arrays that libpq takes; nothing is copied.
    static func withArrays<R>(
        of parameters: QueryParameters,
        _ body: (
            Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?
        ) -> R
    ) -> R {
        let count = parameters.count
        guard count > 0 else { return body(0, nil, nil, nil) }
        return parameters.bytes.withUnsafeReadableBytes { bytes in
            parameters.lengths.withUnsafeBufferPointer { lengths in
                withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: count) { values in
                    withUnsafeTemporaryAllocation(of: Int32.self, capacity: count) { formats in
                        // An empty value must not look like NULL: any address does for no bytes.
                        let empty = UnsafeRawPointer(formats.baseAddress)
                        var offset = 0
                        for index in 0..<count {
                            let length = Int(lengths[index])
                            let start = length == 0 ? empty : bytes.baseAddress.map { UnsafeRawPointer($0 + offset) }
                            let value = length < 0 ? nil : start?.assumingMemoryBound(to: CChar.self)
                            values.initializeElement(at: index, to: value)
                            formats.initializeElement(at: index, to: 1)
                            offset += max(0, length)
                        }
                        return body(
                            Int32(count),
                            UnsafePointer(values.baseAddress),
                            lengths.baseAddress,
                            UnsafePointer(formats.baseAddress)
                        )
                    }
                }
            }
        }
    }
}
