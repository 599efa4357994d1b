import NIOCore
import Platform

/// The decisions of a connection pool, as a value: each event returns the actions that it calls for.
///
/// The state has no lock, no timer and no clock. ``ConnectionPool`` passes it the events under its lock, with the time,
/// and performs the actions after it has released the lock.
struct ConnectionPoolState<Connection: Identifiable & Sendable, Waiter: Identifiable & Sendable>: Sendable
where Connection.ID: Sendable {
    /// The limits of a pool.
    struct Limits {
        /// The number of connections, at least 1.
        var size: Int
        /// The time that a waiter waits.
        var acquireTimeout: Duration
        /// The number of attempts to connect before waiters are told.
        var connectAttempts: Int
        /// The pause before the second attempt; it doubles up to 5 seconds.
        var connectBackoff: Duration
    }

    /// The reason for which waiters get no connection.
    enum Failure {
        /// The pool was closed.
        case closed
        /// The waiter's task was cancelled.
        case cancelled
        /// All connections stayed in use; the error of the last attempt to connect, if it failed.
        case allInUse(DatabaseError?)
        /// No connection could be made in time; the error of the last attempt, if one failed.
        case unreachable(DatabaseError?)
        /// The last attempt to connect failed.
        case connectFailed(any Error)
    }

    /// The timers, of which each is set at most once at a time.
    enum Timer: Hashable {
        /// The first waiter reaches its timeout.
        case waiters
        /// The first idle connection reaches the end of its lifetime.
        case idle
        /// Another round of attempts to connect begins.
        case retry
    }

    /// The work that an event calls for, to be done in this order.
    struct Actions {
        /// The connections to close.
        var close: [Connection] = []
        /// A connection to lend to a waiter.
        var lend: (waiter: Waiter, connection: Connection)?
        /// The waiters that get no connection.
        var fail: [Waiter] = []
        /// The reason for which they get none.
        var failure = Failure.closed
        /// The number of connections to open.
        var connect = 0
        /// A timer to set, and the time after which it fires.
        var timer: (timer: Timer, after: Duration)?
        /// A Boolean value that indicates whether the pool was closed and holds no connection any more.
        var isDrained = false

        static func fail(_ waiters: [Waiter], _ failure: Failure) -> Actions {
            var actions = Actions()
            actions.fail = waiters
            actions.failure = failure
            return actions
        }
    }

    private struct Member {
        var connection: Connection
        /// The end of the connection's lifetime.
        var expiry: UInt64
        var isLent: Bool
    }

    private struct Queued {
        var waiter: Waiter
        var deadline: UInt64
    }

    private let limits: Limits
    /// All open connections, lent ones included.
    private var members: [Connection.ID: Member] = [:]
    /// The idle connections; the one used last is at the end.
    private var idle: [Connection.ID] = []
    private var waiters = CircularBuffer<Queued>()
    /// The number of connections that are being opened.
    private var connecting = 0
    /// Rounds of failed attempts since the last connection was made.
    private var failedRounds = 0
    private var timers: Set<Timer> = []
    private var created = 0
    private var evicted = 0
    private(set) var isClosed = false
    /// The error of the last attempt to connect; `nil` after a success.
    private var lastFailure: DatabaseError?

    init(_ limits: Limits) {
        self.limits = limits
    }

    /// The numbers of this moment.
    var statistics: ConnectionPool.Statistics {
        ConnectionPool.Statistics(
            open: members.count,
            idle: idle.count,
            waiting: waiters.count,
            created: created,
            evicted: evicted
        )
    }

    // MARK: Lending

    /// Takes the idle connection used last; those that are found closed or too old on the way are to be closed.
    ///
    /// - Parameters:
    ///   - now: The time, in nanoseconds.
    ///   - isUsable: Returns whether a connection is still open. The event of its end may be on its way.
    /// - Returns: The connection; `nil` when there is none, and the task has to wait.
    mutating func takeIdle(
        at now: UInt64,
        isUsable: (Connection) -> Bool
    ) -> (connection: Connection?, actions: Actions) {
        var actions = Actions()
        while let id = idle.popLast(), let member = members[id] {
            if now < member.expiry, isUsable(member.connection) {
                members[id]?.isLent = true
                return (member.connection, actions)
            }
            evict(id)
            actions.close.append(member.connection)
        }
        return (nil, actions)
    }

    /// Adds a waiter at the end of the queue, unless there is an idle connection by now.
    ///
    /// - Parameters:
    ///   - waiter: The waiter.
    ///   - since: The time at which it began to wait, in nanoseconds.
    ///   - now: The time.
    ///   - isUsable: As in ``takeIdle(at:isUsable:)``.
    mutating func enqueue(
        _ waiter: Waiter,
        since: UInt64,
        at now: UInt64,
        isUsable: (Connection) -> Bool
    ) -> Actions {
        guard !isClosed else { return .fail([waiter], .closed) }
        var (connection, actions) = takeIdle(at: now, isUsable: isUsable)
        if let connection {
            actions.lend = (waiter, connection)
            return actions
        }
        waiters.append(Queued(waiter: waiter, deadline: since + limits.acquireTimeout.nanoseconds))
        actions.connect = beginConnecting()
        setTimer(.waiters, in: &actions, at: now)
        return actions
    }

    /// Removes a waiter whose task was cancelled; nothing when it has been served.
    mutating func cancel(_ id: Waiter.ID) -> Actions {
        guard let index = waiters.firstIndex(where: { $0.waiter.id == id }) else { return Actions() }
        return .fail([waiters.remove(at: index).waiter], .cancelled)
    }

    /// Takes a lent connection back; one that is not lent stays where it is.
    ///
    /// - Parameters:
    ///   - connection: The connection.
    ///   - isReusable: Whether the next task may have it.
    ///   - now: The time, in nanoseconds.
    mutating func release(_ connection: Connection, isReusable: Bool, at now: UInt64) -> Actions {
        var actions = Actions()
        // The pool was closed, and did not wait for it any longer.
        guard let member = members[connection.id] else {
            actions.close = [connection]
            return actions
        }
        guard member.isLent else { return actions }
        if !isClosed, isReusable, now < member.expiry { return serve(member, at: now) }
        if isClosed { members[connection.id] = nil } else { evict(connection.id) }
        actions.close = [connection]
        actions.connect = beginConnecting()
        actions.isDrained = isDrained
        return actions
    }

    /// Forgets an idle connection that ended by itself; a lent one is noticed when it comes back.
    mutating func connectionEnded(_ id: Connection.ID) {
        guard let index = idle.firstIndex(of: id) else { return }
        idle.remove(at: index)
        evict(id)
    }

    /// Gives a connection that came free to the first waiter, or keeps it as idle.
    private mutating func serve(_ member: Member, at now: UInt64) -> Actions {
        var member = member
        var actions = Actions()
        if let first = waiters.popFirst() {
            member.isLent = true
            actions.lend = (first.waiter, member.connection)
        } else {
            member.isLent = false
            idle.append(member.connection.id)
        }
        members[member.connection.id] = member
        setTimer(.idle, in: &actions, at: now)
        return actions
    }

    private mutating func evict(_ id: Connection.ID) {
        if members.removeValue(forKey: id) != nil { evicted += 1 }
    }

    // MARK: Connecting

    /// Counts the connections that are to be opened: one for each waiter that none is being opened for.
    private mutating func beginConnecting() -> Int {
        guard !isClosed else { return 0 }
        let missing = max(0, min(waiters.count, limits.size - members.count) - connecting)
        connecting += missing
        return missing
    }

    /// Adds a connection that was opened.
    ///
    /// - Parameters:
    ///   - connection: The connection.
    ///   - expiry: The end of its lifetime, in nanoseconds.
    ///   - now: The time.
    mutating func connected(_ connection: Connection, expiry: UInt64, at now: UInt64) -> Actions {
        connecting -= 1
        created += 1
        lastFailure = nil
        failedRounds = 0
        guard isClosed else {
            return serve(Member(connection: connection, expiry: expiry, isLent: false), at: now)
        }
        var actions = Actions()
        actions.close = [connection]
        actions.isDrained = isDrained
        return actions
    }

    /// Decides about an attempt to connect that failed.
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - attempt: The number of the attempt, from 1.
    ///   - mayPass: Whether another attempt may succeed.
    /// - Returns: The pause before another attempt, without jitter; `nil` when the attempts are over.
    mutating func connectFailed(
        _ error: any Error,
        attempt: Int,
        mayPass: Bool
    ) -> (pause: Duration?, actions: Actions) {
        // Waiters that reach their timeout meanwhile are told the reason.
        lastFailure = error as? DatabaseError
        if attempt < limits.connectAttempts, mayPass, !isClosed {
            let doubled = min(.seconds(5), limits.connectBackoff * (1 << min(attempt - 1, 32)))
            return (attempt == 1 ? limits.connectBackoff : doubled, Actions())
        }
        connecting -= 1
        // As long as another connection is open or being opened, it can serve the waiters.
        if members.isEmpty, connecting == 0 {
            var actions = Actions.fail(waiters.map(\.waiter), .connectFailed(error))
            waiters.removeAll()
            actions.isDrained = isDrained
            return (nil, actions)
        }
        // But they must not depend on it, because it may be lent for long.
        var actions = Actions()
        if !isClosed, !waiters.isEmpty, timers.insert(.retry).inserted {
            actions.timer = (.retry, min(.seconds(5), limits.connectBackoff * (1 << min(failedRounds, 10))))
            failedRounds += 1
        }
        return (nil, actions)
    }

    // MARK: Timers

    /// Handles a timer.
    mutating func timerFired(_ timer: Timer, at now: UInt64) -> Actions {
        timers.remove(timer)
        var actions = Actions()
        switch timer {
        case .waiters:
            while let first = waiters.first, first.deadline <= now {
                actions.fail.append(waiters.removeFirst().waiter)
            }
            let isUnreachable = members.isEmpty && (lastFailure != nil || connecting > 0)
            actions.failure = isUnreachable ? .unreachable(lastFailure) : .allInUse(lastFailure)
        case .idle:
            let old = idle.filter { id in members[id].map { now >= $0.expiry } ?? true }
            idle.removeAll(where: old.contains)
            actions.close = old.compactMap { members[$0]?.connection }
            old.forEach { evict($0) }
        case .retry:
            actions.connect = beginConnecting()
            return actions
        }
        setTimer(timer, in: &actions, at: now)
        return actions
    }

    /// Sets one timer for all waiters, which have the same timeout, so the first reaches it first; and one for all idle
    /// connections, because those at the bottom are not looked at otherwise.
    private mutating func setTimer(_ timer: Timer, in actions: inout Actions, at now: UInt64) {
        guard !timers.contains(timer) else { return }
        let deadline = timer == .waiters ? waiters.first?.deadline : idle.compactMap { members[$0]?.expiry }.min()
        guard let deadline else { return }
        timers.insert(timer)
        let pause = Duration.nanoseconds(Int64(clamping: deadline - min(now, deadline)))
        // Not more often than once a second, however short the lifetimes.
        actions.timer = (timer, timer == .idle ? max(pause, .seconds(1)) : pause)
    }

    // MARK: Closing

    /// Closes the pool: the idle connections at once and the lent ones as they come back; waiters fail.
    mutating func close() -> Actions {
        isClosed = true
        var actions = Actions.fail(waiters.map(\.waiter), .closed)
        waiters.removeAll()
        for id in idle {
            if let member = members.removeValue(forKey: id) { actions.close.append(member.connection) }
        }
        idle.removeAll()
        actions.isDrained = isDrained
        return actions
    }

    /// Gives up the connections that are still lent after the pool was closed.
    mutating func closeLent() -> Actions {
        var actions = Actions()
        guard isClosed else { return actions }
        actions.close = members.values.map(\.connection)
        members.removeAll()
        actions.isDrained = isDrained
        return actions
    }

    /// A Boolean value that indicates whether the pool was closed and holds no connection any more.
    var isDrained: Bool {
        isClosed && members.isEmpty && connecting == 0
    }
}
