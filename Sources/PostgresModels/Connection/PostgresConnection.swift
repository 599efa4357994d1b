internal import CLibPQ
import Logging
import NIOConcurrencyHelpers
import Platform
import Synchronization

/// A session with the server.
///
/// One command at a time; a second one gets `.commandInProgress`. Commands are sent by the caller, under the lock;
/// the reactor reads the result, under the same lock, and resumes the caller outside it with the finished result.
/// The reactor keeps the connection alive: it stays open until `close()` or until the server ends it.
package final class PostgresConnection: ReactorClient, Identifiable, Sendable {
    /// The state of the session with regard to transactions.
    package enum TransactionStatus: Sendable {
        /// No transaction is open.
        case idle
        /// A command is running.
        case active
        /// A transaction is open.
        case inTransaction
        /// A transaction is open and can only be rolled back.
        case inFailedTransaction
        /// The connection is closed or broken.
        case unknown
    }

    typealias Continuation = UnsafeContinuation<QueryResult?, any Error>

    struct Command {
        var operation: UInt64
        var isCancellable: Bool
        var isCancelRequested = false
        var continuation: Continuation
    }

    struct Completion {
        var continuation: Continuation
        var result: Result<QueryResult?, any Error>

        func resume() {
            continuation.resume(with: result)
        }
    }

    struct State {
        var handle: ConnectionHandle?
        var token: UInt64 = 0
        var command: Command?
        /// The result of the command in flight so far.
        var result: QueryResult?
        /// The command is over, but its cancel request is not: the next command must not be hit by it.
        var parked: Completion?
        var isCancelInFlight = false
        var graceTimer: UInt64?
        var isDrainingCopy = false
        /// The reason why the session ended; `nil` while it has not.
        var endReason: DatabaseError?
        /// A Boolean value that indicates whether the session must not be used for another task.
        var mustBeDiscarded = false
        var statements: StatementCache
        var lossHandler: (@Sendable () -> Void)?
        var notificationHandler: (@Sendable (DatabaseNotification) -> Void)?
    }

    /// The process id of the session on the server.
    package let backendPID: Int32
    /// The version of the server: 150020 for 15.20.
    package let serverVersion: Int

    let state: NIOLockedValueBox<State>
    let isLent = Atomic<Bool>(false)
    /// The number of times that a prepared statement vanished, or was there before it was prepared.
    let missedStatements = Atomic<Int>(0)
    let expiry: UInt64
    let socket: Int32
    let reactor: Reactor
    let target: ConnectionTarget
    let configuration: DatabaseConfiguration
    let nextOperation = Atomic<UInt64>(1)
    private let isOpen = Atomic<Bool>(true)

    // MARK: Opening and closing

    /// Opens a session.
    ///
    /// - Throws: `DatabaseError` `.invalidArgument` for a connection string that cannot be read, `.connectionFailed`.
    package static func connect(
        _ conninfo: String,
        configuration: DatabaseConfiguration = DatabaseConfiguration()
    ) async throws -> PostgresConnection {
        try await connect(ConnectionTarget(conninfo), configuration: configuration, reactor: .shared())
    }

    static func connect(
        _ target: ConnectionTarget,
        configuration: DatabaseConfiguration,
        reactor: Reactor
    ) async throws -> PostgresConnection {
        let attempt = ConnectionAttempt(
            target: target,
            applicationName: configuration.applicationName,
            timeout: configuration.connectTimeout
        )
        let handle = try await attempt.run()
        let connection = PostgresConnection(handle, to: target, configuration: configuration, reactor: reactor)
        try connection.register()
        let currentZone = connection.parameterStatus("TimeZone")
        guard let settings = configuration.sessionCommands(currentZone: currentZone) else { return connection }
        do {
            try await connection.simpleQuery(settings, cancellable: false, within: configuration.connectTimeout)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    private init(
        _ handle: ConnectionHandle,
        to target: ConnectionTarget,
        configuration: DatabaseConfiguration,
        reactor: Reactor
    ) {
        socket = PQsocket(handle.pointer)
        backendPID = PQbackendPID(handle.pointer)
        serverVersion = Int(PQserverVersion(handle.pointer))
        // Connections opened together must not all be replaced together.
        let lifetime = configuration.maxLifetime.nanoseconds
        expiry = MonotonicTime.now + lifetime - UInt64.random(in: 0...lifetime / 10)
        self.reactor = reactor
        self.target = target
        self.configuration = configuration
        let statements = StatementCache(capacity: configuration.statementCacheCapacity)
        state = NIOLockedValueBox(State(handle: handle, statements: statements))
    }

    private func register() throws {
        try state.withLockedValue { state in
            guard let token = reactor.add(socket, client: self) else {
                state.handle = nil
                throw DatabaseError(code: .connectionFailed, message: "The system refuses to watch the connection.")
            }
            state.token = token
        }
    }

    /// Ends the session at once: a command that is running fails with the code `closed`.
    ///
    /// Calling it again does nothing.
    package func close() {
        let reason = DatabaseError(code: .closed, message: "The connection was closed by this program.")
        let completion = state.withLockedValue { state in
            state.lossHandler = nil
            return end(&state, because: reason)
        }
        completion?.resume()
    }

    /// Registers a handler that is called once, with no lock held, when the session ends by itself.
    func onConnectionLost(_ handler: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLockedValue { state in
            if state.endReason == nil { state.lossHandler = handler }
            return state.endReason != nil
        }
        if hasEnded { handler() }
    }

    /// Registers a handler that is called on the reactor's thread, with no lock held, for each notification, in their
    /// order.
    ///
    /// LISTEN comes after it.
    func onNotification(_ handler: @escaping @Sendable (DatabaseNotification) -> Void) {
        state.withLockedValue { $0.notificationHandler = handler }
    }

    // MARK: State

    /// A Boolean value that indicates whether the session can run commands, as far as is known.
    package var isUsable: Bool {
        isOpen.load(ordering: .relaxed)
    }

    /// The state of the session with regard to transactions.
    package var transactionStatus: TransactionStatus {
        state.withLockedValue { transactionStatus(of: $0) }
    }

    /// A setting the server reports on its own: "server_encoding", "in_hot_standby", "TimeZone" and others.
    package func parameterStatus(_ name: String) -> String? {
        state.withLockedValue { state in
            guard let handle = state.handle, let value = PQparameterStatus(handle.pointer, name) else { return nil }
            return String(cString: value)
        }
    }

    /// The ways in which the pool may treat the connection when it is released.
    enum Disposition {
        case reusable, needsRollback, discard
    }

    var disposition: Disposition {
        state.withLockedValue { state in
            guard state.endReason == nil, !state.mustBeDiscarded, state.command == nil, state.parked == nil else {
                return .discard
            }
            switch transactionStatus(of: state) {
            case .idle: return .reusable
            case .inTransaction, .inFailedTransaction: return .needsRollback
            case .active, .unknown: return .discard
            }
        }
    }

    private func transactionStatus(of state: State) -> TransactionStatus {
        guard let handle = state.handle else { return .unknown }
        switch PQtransactionStatus(handle.pointer) {
        case PQTRANS_IDLE: return .idle
        case PQTRANS_ACTIVE: return .active
        case PQTRANS_INTRANS: return .inTransaction
        case PQTRANS_INERROR: return .inFailedTransaction
        default: return .unknown
        }
    }

    // MARK: Ending, under the lock

    /// Marks the session as over and stops watching its socket; returns what to resume outside the lock.
    func end(_ state: inout State, because reason: DatabaseError) -> Completion? {
        guard state.endReason == nil else { return nil }
        state.endReason = reason
        isOpen.store(false, ordering: .relaxed)
        reactor.remove(socket, token: state.token)
        if let timer = state.graceTimer { reactor.cancelTimer(timer) }
        state.graceTimer = nil
        state.handle = nil
        state.result = nil
        if let parked = state.parked {
            state.parked = nil
            return parked
        }
        guard let command = state.command else { return nil }
        state.command = nil
        // A task that gave up asked for this end; to it the reason is its own cancellation, although the statement may
        // have taken effect: it was told so by the documentation of `query`.
        let error: any Error = command.isCancelRequested ? CancellationError() : reason
        return Completion(continuation: command.continuation, result: .failure(error))
    }
}
