import Logging
import NIOConcurrencyHelpers
import NIOCore
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

    private struct Waiter {
        var id: UInt64
        var deadline: UInt64
        var continuation: UnsafeContinuation<PostgresConnection, any Error>
    }

    private struct State {
        var idle: [PostgresConnection] = []
        var open = 0
        var connecting = 0
        var created = 0
        var evicted = 0
        var waiters = CircularBuffer<Waiter>()
        var isTimerSet = false
        var isClosed = false
        var lastFailure: DatabaseError?
        var closers: [UInt64: UnsafeContinuation<Void, Never>] = [:]
    }

    /// How the pool was set up.
    package let configuration: DatabaseConfiguration
    /// Runs tasks on the thread that reads from the connections, which saves them a hop per query.
    package var executor: any TaskExecutor {
        reactor
    }

    private let state = NIOLockedValueBox(State())
    private let nextID = Atomic<UInt64>(1)
    let target: ConnectionTarget
    private let reactor: Reactor
    private let limit: Int

    /// An empty pool; connections are opened when tasks ask for them.
    ///
    /// - Throws: `DatabaseError` `.invalidArgument` for a connection string that cannot be read.
    package convenience init(_ conninfo: String, configuration: DatabaseConfiguration) throws {
        try self.init(ConnectionTarget(conninfo), configuration: configuration, reactor: .shared())
    }

    init(_ target: ConnectionTarget, configuration: DatabaseConfiguration, reactor: Reactor) {
        self.target = target
        self.configuration = configuration
        self.reactor = reactor
        limit = max(1, configuration.poolSize)
    }

    /// An empty pool of another size for the same server.
    func sibling(size: Int) -> ConnectionPool {
        var configuration = configuration
        configuration.poolSize = size
        return ConnectionPool(target, configuration: configuration, reactor: reactor)
    }

    deinit {
        for connection in state.withLockedValue({ $0.idle }) { connection.close() }
    }

    /// The numbers of this moment.
    package var statistics: Statistics {
        state.withLockedValue { state in
            Statistics(
                open: state.open,
                idle: state.idle.count,
                waiting: state.waiters.count,
                created: state.created,
                evicted: state.evicted
            )
        }
    }

    /// Opens a connection like those of the pool, which does not belong to it; the caller must close it.
    func connectOutside() async throws -> PostgresConnection {
        try await PostgresConnection.connect(target, configuration: configuration, reactor: reactor)
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

    /// Takes a connection; the caller must `release` it.
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
    /// Giving it back twice does no harm.
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
    private func takeIdle(_ state: inout State, _ now: UInt64) -> (PostgresConnection?, worn: [PostgresConnection]) {
        var worn: [PostgresConnection] = []
        while let connection = state.idle.popLast() {
            if connection.isUsable, now < connection.expiry { return (connection, worn) }
            state.open -= 1
            state.evicted += 1
            worn.append(connection)
        }
        return (nil, worn)
    }

    // MARK: Waiting

    private func enqueue(_ waiter: Waiter) {
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
            setTimerIfNeeded(&state, now)
            return (nil, worn)
        }
        worn.forEach { $0.close() }
        if let answer { waiter.continuation.resume(with: answer) }
    }

    private func drop(_ id: UInt64) {
        let waiter = state.withLockedValue { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
            return state.waiters.remove(at: index)
        }
        waiter?.continuation.resume(throwing: CancellationError())
    }

    /// One timer for all waiters: they have the same patience, so the first is also the first to lose it.
    private func setTimerIfNeeded(_ state: inout State, _ now: UInt64) {
        guard !state.isTimerSet, let first = state.waiters.first else { return }
        state.isTimerSet = true
        let pause = Duration.nanoseconds(Int64(clamping: first.deadline - min(now, first.deadline)))
        _ = reactor.schedule(after: pause) { [weak self] in self?.expireWaiters() }
    }

    private func expireWaiters() {
        let now = MonotonicTime.now
        let (late, failure) = state.withLockedValue { state in
            state.isTimerSet = false
            var late: [Waiter] = []
            while let first = state.waiters.first, first.deadline <= now { late.append(state.waiters.removeFirst()) }
            setTimerIfNeeded(&state, now)
            return (late, state.lastFailure)
        }
        let error = DatabaseError(
            code: .poolTimeout,
            message: "No connection became free within \(configuration.acquireTimeout): all \(limit) stayed in use. "
                + "Hold connections for less long, or raise poolSize.",
            underlying: failure
        )
        for waiter in late { waiter.continuation.resume(throwing: error) }
    }

    // MARK: Coming back

    private func handOver(_ connection: PostgresConnection) {
        let (waiter, isUnwanted, closers) = state.withLockedValue { state in
            if state.isClosed {
                state.open -= 1
                return (nil as Waiter?, true, takeClosers(&state))
            }
            if let waiter = state.waiters.popFirst() { return (waiter, false, []) }
            state.idle.append(connection)
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
            state.open -= 1
            state.evicted += 1
            connectIfNeeded(&state)
            return takeClosers(&state)
        }
        closers.forEach { $0.resume() }
    }

    /// An idle connection whose server went away is noticed without being used; a lent one when it comes back.
    private func connectionDied(_ connection: PostgresConnection) {
        state.withLockedValue { state in
            guard let index = state.idle.firstIndex(where: { $0 === connection }) else { return }
            state.idle.remove(at: index)
            state.open -= 1
            state.evicted += 1
        }
    }

    // MARK: Connecting

    private func connectIfNeeded(_ state: inout State) {
        guard !state.isClosed else { return }
        let wanted = min(state.waiters.count - state.connecting, limit - state.open - state.connecting)
        guard wanted > 0 else { return }
        state.connecting += wanted
        for _ in 0..<wanted { Task.detached { await self.connect() } }
    }

    private func connect() async {
        var pause = configuration.connectBackoff
        for attempt in 1...max(1, configuration.connectAttempts) {
            do {
                adopt(
                    try await PostgresConnection.connect(target, configuration: configuration, reactor: reactor)
                )
                return
            } catch {
                let mayPass = (error as? DatabaseError)?.sqlState.map(SQLState.connectingAgainMayHelp) ?? true
                let isLast = attempt >= configuration.connectAttempts || !mayPass || isClosed
                configuration.logger.debug(
                    "Connecting failed",
                    metadata: ["error": "\(error)", "attempt": "\(attempt)"]
                )
                if isLast {
                    connectingFailed(error)
                    return
                }
                try? await Task.sleep(for: pause * Double.random(in: 0.5...1))
                pause = min(pause * 2, .seconds(5))
            }
        }
    }

    private var isClosed: Bool {
        state.withLockedValue { $0.isClosed }
    }

    private func adopt(_ connection: PostgresConnection) {
        connection.onDeath { [weak self, weak connection] in
            if let connection { self?.connectionDied(connection) }
        }
        state.withLockedValue { state in
            state.connecting -= 1
            state.open += 1
            state.created += 1
            state.lastFailure = nil
        }
        handOver(connection)
    }

    private func connectingFailed(_ error: any Error) {
        let (waiters, closers) = state.withLockedValue { state -> ([Waiter], [UnsafeContinuation<Void, Never>]) in
            state.connecting -= 1
            state.lastFailure = error as? DatabaseError
            // As long as another connection is open or about to be, it can serve those who wait.
            guard state.open == 0, state.connecting == 0 else { return ([], []) }
            let waiters = Array(state.waiters)
            state.waiters.removeAll()
            return (waiters, takeClosers(&state))
        }
        for waiter in waiters { waiter.continuation.resume(throwing: error) }
        closers.forEach { $0.resume() }
    }

    // MARK: Closing

    private static let closedError = DatabaseError(code: .closed, message: "The database was closed by this program.")

    /// Ends the idle connections at once and the lent ones as they come back; tasks that wait get `.closed`.
    ///
    /// - Parameter patience: how long to wait for lent connections, 5 seconds by default.
    package func close(waitingUpTo patience: Duration = .seconds(5)) async {
        let (idle, waiters) = state.withLockedValue { state in
            state.isClosed = true
            defer {
                state.open -= state.idle.count
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
                if state.open == 0, state.connecting == 0 { return true }
                state.closers[id] = continuation
                return false
            }
            if isDone {
                continuation.resume()
            } else {
                _ = reactor.schedule(after: patience) { [self] in
                    state.withLockedValue { $0.closers.removeValue(forKey: id) }?.resume()
                }
            }
        }
    }

    private func takeClosers(_ state: inout State) -> [UnsafeContinuation<Void, Never>] {
        guard state.open == 0, state.connecting == 0 else { return [] }
        defer { state.closers.removeAll() }
        return Array(state.closers.values)
    }
}
