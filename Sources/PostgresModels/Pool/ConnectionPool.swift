import Logging
import NIOConcurrencyHelpers
import NIOCore
import Platform
import Synchronization

/// Connections kept open and lent to one task at a time.
///
/// The connection used last is lent first (its caches are warm, the others can go); tasks that wait are served in the
/// order they came. Connecting happens beside the waiting: a task that gives up takes no half-open connection along.
package final class ConnectionPool: Sendable {
    /// A moment in the life of a pool.
    package struct Statistics: Hashable, Sendable {
        /// Connections that are open, lent ones included.
        package var open: Int
        /// Open connections that nobody uses.
        package var idle: Int
        /// Tasks that wait for a connection.
        package var waiting: Int
        /// Connections opened since the pool exists.
        package var created: Int
        /// Connections given up since then: broken, too old, or left in a state that could not be mended.
        package var evicted: Int
    }

    struct Waiter {
        var id: UInt64
        var deadline: UInt64
        var continuation: UnsafeContinuation<PostgresConnection, any Error>
    }

    struct State {
        var idle: [PostgresConnection] = []
        /// All open connections, lent ones included.
        var members: [ObjectIdentifier: PostgresConnection] = [:]
        var connecting = 0
        var created = 0
        var evicted = 0
        var waiters = CircularBuffer<Waiter>()
        var isWaiterTimerSet = false
        var isIdleTimerSet = false
        var isRetrySet = false
        var isClosed = false
        /// The error of the last attempt to connect; `nil` after a success.
        var lastFailure: DatabaseError?
        var failedRounds = 0
        var closers: [UInt64: UnsafeContinuation<Void, Never>] = [:]
    }

    /// The configuration of the pool.
    package let configuration: DatabaseConfiguration
    /// Runs tasks on the thread that reads from the connections, which saves them a hop per query.
    package var executor: any TaskExecutor {
        reactor
    }

    let state = NIOLockedValueBox(State())
    let nextID = Atomic<UInt64>(1)
    let target: ConnectionTarget
    let reactor: Reactor
    let limit: Int

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
        limit = max(1, configuration.poolSize)
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
        for connection in state.withLockedValue({ $0.idle }) { connection.close() }
    }

    /// The numbers of this moment.
    package var statistics: Statistics {
        state.withLockedValue { state in
            Statistics(
                open: state.members.count,
                idle: state.idle.count,
                waiting: state.waiters.count,
                created: state.created,
                evicted: state.evicted
            )
        }
    }

    // MARK: Lending

    /// Runs `body` with a connection of its own and takes that back, whatever happens.
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
        if let connection = try take(now) { return connection }
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        let connection = try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                enqueue(
                    Waiter(id: id, deadline: now + configuration.acquireTimeout.nanoseconds, continuation: continuation)
                )
            }
        } onCancel: {
            drop(id)
        }
        connection.isLent.store(true, ordering: .relaxed)
        return connection
    }

    /// Gives a connection back: rolls an open transaction back, and replaces the connection when it is of no more use.
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
        if case .reusable = disposition, MonotonicTime.now < connection.expiry {
            handOver(connection)
        } else {
            discard(connection)
        }
    }

    private func take(_ now: UInt64) throws -> PostgresConnection? {
        let (connection, worn) = try state.withLockedValue { state in
            guard !state.isClosed else { throw Self.closedError }
            return takeIdle(&state, now)
        }
        worn.forEach { $0.close() }
        connection?.isLent.store(true, ordering: .relaxed)
        return connection
    }

    /// The idle connection used last, and those found to be of no more use on the way to it.
    func takeIdle(_ state: inout State, _ now: UInt64) -> (PostgresConnection?, worn: [PostgresConnection]) {
        var worn: [PostgresConnection] = []
        while let connection = state.idle.popLast() {
            if connection.isUsable, now < connection.expiry { return (connection, worn) }
            remove(connection, from: &state)
            worn.append(connection)
        }
        return (nil, worn)
    }

    /// Forgets a connection that is closed or about to be.
    func remove(_ connection: PostgresConnection, from state: inout State) {
        guard state.members.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        state.evicted += 1
    }

    // MARK: Coming back

    func handOver(_ connection: PostgresConnection) {
        let (waiter, isUnwanted, closers) = state.withLockedValue { state in
            if state.isClosed {
                state.members.removeValue(forKey: ObjectIdentifier(connection))
                return (nil as Waiter?, true, takeClosers(&state))
            }
            if let waiter = state.waiters.popFirst() { return (waiter, false, []) }
            state.idle.append(connection)
            setIdleTimerIfNeeded(&state)
            return (nil, false, [])
        }
        if isUnwanted { connection.close() }
        waiter?.continuation.resume(returning: connection)
        closers.forEach { $0.resume() }
        // It may have died between the look at its state and its place in the idle list.
        if waiter == nil, !isUnwanted, !connection.isUsable { connectionDied(connection) }
    }

    private func discard(_ connection: PostgresConnection) {
        connection.close()
        let closers = state.withLockedValue { state in
            remove(connection, from: &state)
            connectIfNeeded(&state)
            return takeClosers(&state)
        }
        closers.forEach { $0.resume() }
    }

    /// An idle connection whose server went away is noticed without being used; a lent one when it comes back.
    func connectionDied(_ connection: PostgresConnection) {
        state.withLockedValue { state in
            guard let index = state.idle.firstIndex(where: { $0 === connection }) else { return }
            state.idle.remove(at: index)
            remove(connection, from: &state)
        }
    }

    /// Sets one timer for all connections that are idle: those at the bottom are not looked at otherwise, and would
    /// never grow too old.
    private func setIdleTimerIfNeeded(_ state: inout State) {
        guard !state.isIdleTimerSet, let expiry = state.idle.lazy.map(\.expiry).min() else { return }
        state.isIdleTimerSet = true
        let now = MonotonicTime.now
        // Not more often than once a second, however short the lives.
        let pause = max(Int64(clamping: expiry - min(now, expiry)), 1_000_000_000)
        _ = reactor.schedule(after: .nanoseconds(pause)) { [weak self] in self?.expireIdle() }
    }

    private func expireIdle() {
        let now = MonotonicTime.now
        let worn = state.withLockedValue { state in
            state.isIdleTimerSet = false
            let worn = state.idle.filter { now >= $0.expiry }
            state.idle.removeAll { now >= $0.expiry }
            for connection in worn { remove(connection, from: &state) }
            setIdleTimerIfNeeded(&state)
            return worn
        }
        worn.forEach { $0.close() }
    }

    // MARK: Closing

    static let closedError = DatabaseError(code: .closed, message: "The database was closed by this program.")

    /// Ends the idle connections at once and the lent ones as they come back; tasks that wait get `.closed`.
    ///
    /// - Parameter patience: how long to wait for lent connections, 5 seconds by default; then they are closed, too,
    ///   and what they run ends with `.closed`.
    package func close(waitingUpTo patience: Duration = .seconds(5)) async {
        let (idle, waiters) = state.withLockedValue { state in
            state.isClosed = true
            defer {
                for connection in state.idle { state.members.removeValue(forKey: ObjectIdentifier(connection)) }
                state.idle.removeAll()
                state.waiters.removeAll()
            }
            return (state.idle, Array(state.waiters))
        }
        idle.forEach { $0.close() }
        waiters.forEach { $0.continuation.resume(throwing: Self.closedError) }
        let id = nextID.wrappingAdd(1, ordering: .relaxed).oldValue
        await withUnsafeContinuation { continuation in
            let isDone = state.withLockedValue { state in
                if state.members.isEmpty, state.connecting == 0 { return true }
                state.closers[id] = continuation
                return false
            }
            if isDone {
                continuation.resume()
            } else {
                _ = reactor.schedule(after: patience) { [self] in patienceIsOver(id) }
            }
        }
    }

    private func patienceIsOver(_ id: UInt64) {
        let (closer, lent) = state.withLockedValue {
            state -> (UnsafeContinuation<Void, Never>?, [PostgresConnection]) in
            guard let closer = state.closers.removeValue(forKey: id) else { return (nil, []) }
            defer { state.members.removeAll() }
            return (closer, Array(state.members.values))
        }
        lent.forEach { $0.close() }
        closer?.resume()
    }

    func takeClosers(_ state: inout State) -> [UnsafeContinuation<Void, Never>] {
        guard state.members.isEmpty, state.connecting == 0 else { return [] }
        defer { state.closers.removeAll() }
        return Array(state.closers.values)
    }
}
