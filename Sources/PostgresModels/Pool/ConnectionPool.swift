import Logging
import NIOConcurrencyHelpers
import Platform
import Synchronization

/// Connections kept open and lent to one task at a time.
///
/// The connection used last is lent first (its caches are warm, the others can go); waiting tasks are served in the
/// order they came. Connecting happens beside the waiting: a task that stops waiting takes no half-open connection
/// along.
///
/// ``ConnectionPoolState`` decides; the pool passes it the events and performs the actions.
package final class ConnectionPool: Sendable {
    /// The numbers of a pool at one moment.
    package struct Statistics: Hashable, Sendable {
        /// Connections that are open, lent ones included.
        package var open: Int
        /// Open connections that nobody uses.
        package var idle: Int
        /// Tasks that wait for a connection.
        package var waiting: Int
        /// Connections opened since the pool exists.
        package var created: Int
        /// Connections discarded since then: broken, too old, or left in a state that could not be restored.
        package var evicted: Int
    }

    struct Waiter: Identifiable {
        var id: UInt64
        var continuation: UnsafeContinuation<PostgresConnection, any Error>
    }

    typealias PoolState = ConnectionPoolState<PostgresConnection, Waiter>

    private struct State {
        var pool: PoolState
        /// The tasks that wait for the end of the pool.
        var closers: [UInt64: UnsafeContinuation<Void, Never>] = [:]

        mutating func takeClosers() -> [UnsafeContinuation<Void, Never>] {
            defer { closers.removeAll() }
            return Array(closers.values)
        }
    }

    /// The configuration of the pool.
    package let configuration: DatabaseConfiguration
    /// Runs tasks on the thread that reads from the connections, which saves them a hop per query.
    package var executor: any TaskExecutor {
        reactor
    }

    private let state: NIOLockedValueBox<State>
    private let nextID = Atomic<UInt64>(1)
    let target: ConnectionTarget
    let reactor: Reactor

    /// An empty pool; connections are opened when tasks ask for them.
    ///
    /// - Throws: `DatabaseError` `.invalidArgument` for a connection string that cannot be read, or a configuration
    ///   that makes no sense.
    package convenience init(_ conninfo: String, configuration: DatabaseConfiguration) throws {
        try configuration.validate()
        try self.init(ConnectionTarget(conninfo), configuration: configuration, reactor: .shared())
    }

    init(_ target: ConnectionTarget, configuration: DatabaseConfiguration, reactor: Reactor) {
        self.target = target
        self.configuration = configuration
        self.reactor = reactor
        let limits = PoolState.Limits(
            size: max(1, configuration.poolSize),
            acquireTimeout: configuration.acquireTimeout,
            connectAttempts: configuration.connectAttempts,
            connectBackoff: configuration.connectBackoff
        )
        state = NIOLockedValueBox(State(pool: PoolState(limits)))
    }

    /// An empty pool of another size for the same server.
    ///
    /// - Parameters:
    ///   - size: How many connections it may have.
    ///   - target: Another way to the server; `nil`, the default, is this pool's.
    func sibling(size: Int, target: ConnectionTarget? = nil) -> ConnectionPool {
        var configuration = configuration
        configuration.poolSize = size
        let target = target ?? self.target
        return ConnectionPool(target, configuration: configuration, reactor: reactor)
    }

    deinit {
        for connection in state.withLockedValue({ $0.pool.close() }).close { connection.close() }
    }

    /// The numbers of this moment.
    package var statistics: Statistics {
        state.withLockedValue { $0.pool.statistics }
    }

    // MARK: Lending

    /// Runs `body` with a connection of its own and releases that, whatever happens.
    @discardableResult
    package func withConnection<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let connection = try await acquire()
        do {
            let result = try await body(connection)
            await release(connection)
            return result
        } catch {
            await release(connection)
            throw error
        }
    }

    /// Takes a connection; the caller must `release` it, once.
    ///
    /// - Throws: `DatabaseError` `.poolTimeout`, `.connectionFailed`, `.closed`; `CancellationError`.
    package func acquire() async throws -> PostgresConnection {
        try Task.checkCancellation()
        let now = MonotonicTime.now
        let connection: PostgresConnection
        if let idle = try takeIdle(at: now) { connection = idle } else { connection = try await wait(since: now) }
        connection.isLent.store(true, ordering: .relaxed)
        return connection
    }

    /// Takes a connection back: rolls an open transaction back, and closes the connection when it cannot be reused.
    ///
    /// A connection that nobody has is left alone. One that was lent to somebody else meanwhile would be taken from
    /// them, so each `acquire` is followed by one `release`.
    package func release(_ connection: PostgresConnection) async {
        guard connection.isLent.exchange(false, ordering: .relaxed) else { return }
        var disposition = connection.disposition
        if case .needsRollback = disposition {
            configuration.logger.debug("Rolling back a transaction that was left open")
            _ = try? await connection.simpleQuery("ROLLBACK", cancellable: false, within: .seconds(5))
            disposition = connection.disposition
        }
        let isReusable = if case .reusable = disposition { true } else { false }
        handle { $0.release(connection, isReusable: isReusable, at: MonotonicTime.now) }
        forgetIfEnded(connection)
    }

    private func takeIdle(at now: UInt64) throws -> PostgresConnection? {
        let (connection, actions) = try state.withLockedValue { state in
            guard !state.pool.isClosed else { throw Self.closedError }
            return state.pool.takeIdle(at: now, isUsable: \.isUsable)
        }
        perform(actions)
        return connection
    }

    private func wait(since start: UInt64) async throws -> PostgresConnection {
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                let waiter = Waiter(id: id, continuation: continuation)
                handle { pool in
                    // Under the lock: a cancellation from here on finds the waiter, one before it is seen here.
                    if Task.isCancelled { return .fail([waiter], .cancelled) }
                    return pool.enqueue(waiter, since: start, at: MonotonicTime.now, isUsable: \.isUsable)
                }
            }
        } onCancel: {
            handle { $0.cancel(id) }
        }
    }

    // MARK: Events and actions

    /// Passes an event to the state under the lock, and performs the actions outside of it.
    func handle(_ event: (inout PoolState) -> PoolState.Actions) {
        let (actions, closers) = state.withLockedValue { state in
            let actions = event(&state.pool)
            return (actions, actions.isDrained ? state.takeClosers() : [])
        }
        perform(actions)
        for closer in closers { closer.resume() }
    }

    private func perform(_ actions: PoolState.Actions) {
        for connection in actions.close { connection.close() }
        if let (waiter, connection) = actions.lend { waiter.continuation.resume(returning: connection) }
        if !actions.fail.isEmpty {
            let error = error(for: actions.failure)
            for waiter in actions.fail { waiter.continuation.resume(throwing: error) }
        }
        for _ in 0..<actions.connect { Task.detached { await self.connect() } }
        if let (timer, pause) = actions.timer {
            _ = reactor.schedule(after: pause) { [weak self] in
                self?.handle { $0.timerFired(timer, at: MonotonicTime.now) }
            }
        }
    }

    /// Tells the state that a connection ended by itself, if it is idle: a lent one is noticed when it comes back.
    func connectionEnded(_ connection: PostgresConnection) {
        state.withLockedValue { $0.pool.connectionEnded(connection.id) }
    }

    /// Looks at a connection that has just become idle: it may have ended between the look at its state and its place
    /// among the idle ones.
    func forgetIfEnded(_ connection: PostgresConnection) {
        if !connection.isUsable { connectionEnded(connection) }
    }

    // MARK: Closing

    /// Closes the idle connections at once and the lent ones as they come back; waiting tasks get `.closed`.
    ///
    /// - Parameter timeout: The time to wait for lent connections, 5 seconds by default; then they are closed, too,
    ///   and what they run ends with `.closed`.
    package func close(timeout: Duration = .seconds(5)) async {
        handle { $0.close() }
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        await withUnsafeContinuation { continuation in
            let isDrained = state.withLockedValue { state in
                if state.pool.isDrained { return true }
                state.closers[id] = continuation
                return false
            }
            if isDrained {
                continuation.resume()
            } else {
                _ = reactor.schedule(after: timeout) { [self] in closeTimedOut(id) }
            }
        }
    }

    private func closeTimedOut(_ id: UInt64) {
        guard let closer = state.withLockedValue({ $0.closers.removeValue(forKey: id) }) else { return }
        handle { $0.closeLent() }
        closer.resume()
    }
}
