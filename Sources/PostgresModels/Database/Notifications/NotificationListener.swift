import Logging
import NIOConcurrencyHelpers
import NIOCore

/// An iteration over a channel: its connection, and what has arrived and was not consumed yet.
final class NotificationListener: Sendable {
    private typealias Continuation = UnsafeContinuation<DatabaseNotification?, any Error>

    private struct State {
        var hasStarted = false
        var connection: PostgresConnection?
        var connecting: Task<Void, Never>?
        /// A Boolean value that indicates whether the consumer was told that the server listens: on this connection,
        /// and on any.
        var isListening = false
        var hasListened = false
        /// Notifications that came between the server's LISTEN and our telling of it.
        var early = CircularBuffer<DatabaseNotification>()
        var buffer = CircularBuffer<DatabaseNotification>()
        var hasDropped = false
        var waiter: Continuation?
        var isEnded = false
        var failure: (any Error)?
    }

    private let channel: String
    private let capacity: Int
    private let pool: ConnectionPool
    private let listeners: NotificationListeners
    private let state = NIOLockedValueBox(State())

    init(_ channel: String, capacity: Int, pool: ConnectionPool, in listeners: NotificationListeners) {
        self.channel = channel
        self.capacity = max(1, capacity)
        self.pool = pool
        self.listeners = listeners
    }

    var isConnected: Bool {
        state.withLockedValue { $0.connection != nil }
    }

    /// The notification that arrived last and was not consumed yet.
    var newest: DatabaseNotification? {
        state.withLockedValue { $0.buffer.last }
    }

    // MARK: The consumer

    func next() async throws -> DatabaseNotification? {
        try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                guard let outcome = outcome(or: continuation) else { return }
                continuation.resume(with: outcome)
            }
        } onCancel: {
            stop()
        }
    }

    /// Returns a result at once if there is one; otherwise keeps the continuation, and makes the connection if there is
    /// none yet.
    private func outcome(or continuation: Continuation) -> Result<DatabaseNotification?, any Error>? {
        // Under the lock: a cancellation from here on finds the continuation, one before it is seen here.
        let (outcome, mustStart) = state.withLockedValue {
            state -> (Result<DatabaseNotification?, any Error>?, Bool) in
            if state.isEnded || Task.isCancelled {
                defer { state.failure = nil }
                return (state.failure.map { .failure($0) } ?? .success(nil), false)
            }
            if state.hasDropped {
                state.hasDropped = false
                return (.success(.gap), false)
            }
            if let next = state.buffer.popFirst() { return (.success(next), false) }
            state.waiter = continuation
            defer { state.hasStarted = true }
            return (nil, !state.hasStarted)
        }
        if mustStart {
            if listeners.add(self) { connect() } else { stop() }
        }
        return outcome
    }

    /// Ends the iteration: the connection is closed, who waits gets `nil`.
    ///
    /// Calling it again does nothing.
    func stop() {
        end(nil)
    }

    private func end(_ failure: (any Error)?) {
        let ended = state.withLockedValue { state -> State? in
            guard !state.isEnded else { return nil }
            let ended = state
            state = State()
            state.isEnded = true
            // Only one learns of it: who waits now, or who asks next.
            state.failure = ended.waiter == nil ? failure : nil
            return ended
        }
        guard let ended else { return }
        listeners.remove(self)
        ended.connecting?.cancel()
        ended.connection?.close()
        ended.waiter?.resume(with: failure.map { .failure($0) } ?? .success(nil))
    }

    // MARK: The connection

    private func connect() {
        // Detached: what the consumer's task carries along, such as its transaction, is none of the connection's.
        let task = Task.detached { [self] in await keepTrying() }
        let isEnded = state.withLockedValue { state in
            if !state.isEnded { state.connecting = task }
            return state.isEnded
        }
        if isEnded { task.cancel() }
    }

    private func keepTrying() async {
        var pause = pool.configuration.connectBackoff
        while !state.withLockedValue({ $0.isEnded }) {
            do {
                return try await listen()
            } catch {
                guard Self.mayPass(error) else { return end(error) }
                pool.configuration.logger.debug(
                    "Listening failed and is tried again",
                    metadata: ["channel": "\(channel)", "error": "\(error)"]
                )
                // Cancelled by the end of the iteration.
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private func listen() async throws {
        let identifier = try Identifier.quoted(channel)
        let connection = try await pool.connectOutside()
        do {
            connection.onNotification { [weak self] in self?.receive($0) }
            try await connection.simpleQuery(
                "LISTEN \(identifier)",
                cancellable: false,
                within: pool.configuration.connectTimeout
            )
        } catch {
            connection.close()
            throw error
        }
        guard adopt(connection) else { return connection.close() }
        connection.onConnectionLost { [weak self] in self?.connectionLost() }
    }

    private static func mayPass(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        if let state = error.sqlState { return SQLState.connectingAgainMayHelp(state) }
        return error.code == .connectionFailed || error.code == .connectionLost
    }

    /// Reports to the consumer that the server listens; returns `false` when the iteration is over.
    private func adopt(_ connection: PostgresConnection) -> Bool {
        let (isWanted, delivery) = state.withLockedValue { state -> (Bool, (Continuation, DatabaseNotification)?) in
            state.connecting = nil
            guard !state.isEnded else { return (false, nil) }
            state.connection = connection
            add(state.hasListened ? .gap : .listening, to: &state)
            // Who waits is told first: what comes next may fill the buffer.
            let delivery = takeDelivery(&state)
            while let early = state.early.popFirst() { add(early, to: &state) }
            state.isListening = true
            state.hasListened = true
            return (true, delivery)
        }
        if let (continuation, element) = delivery { continuation.resume(returning: element) }
        return isWanted
    }

    private func connectionLost() {
        let mustConnect = state.withLockedValue { state in
            state.connection = nil
            state.isListening = false
            return !state.isEnded
        }
        if mustConnect { connect() }
    }

    // MARK: Arriving

    private func receive(_ notification: DatabaseNotification) {
        let delivery = state.withLockedValue { state -> (Continuation, DatabaseNotification)? in
            guard !state.isEnded else { return nil }
            guard state.isListening else {
                // What is told next makes the consumer look at the tables, so that the oldest may go.
                if state.early.count >= capacity { state.early.removeFirst() }
                state.early.append(notification)
                return nil
            }
            add(notification, to: &state)
            return takeDelivery(&state)
        }
        if let (continuation, element) = delivery { continuation.resume(returning: element) }
    }

    private func add(_ element: DatabaseNotification, to state: inout State) {
        if state.buffer.count >= capacity {
            state.buffer.removeFirst()
            state.hasDropped = true
        }
        state.buffer.append(element)
    }

    private func takeDelivery(_ state: inout State) -> (Continuation, DatabaseNotification)? {
        guard let waiter = state.waiter else { return nil }
        let element: DatabaseNotification
        if state.hasDropped {
            state.hasDropped = false
            element = .gap
        } else if let next = state.buffer.popFirst() {
            element = next
        } else {
            return nil
        }
        state.waiter = nil
        return (waiter, element)
    }
}
