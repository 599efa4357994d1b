import Testing

@testable import PostgresModels

/// A state of a pool with numbers for connections and waiters, and a clock that a test sets.
struct SimulatedPool {
    struct Connection: Identifiable {
        let id: Int
    }

    struct Waiter: Identifiable {
        let id: Int
    }

    typealias State = ConnectionPoolState<Connection, Waiter>

    static let second: UInt64 = 1_000_000_000

    var state: State
    /// The time in nanoseconds.
    var now: UInt64 = 0
    /// The connections that ended although the state has not been told.
    var ended: Set<Int> = []

    init(size: Int = 2, attempts: Int = 3) {
        state = State(
            .init(size: size, acquireTimeout: .seconds(30), connectAttempts: attempts, connectBackoff: .seconds(1))
        )
    }

    /// Takes an idle connection, or waits, as a task does.
    mutating func acquire(_ waiter: Int) -> State.Actions {
        let ended = ended
        return state.enqueue(Waiter(id: waiter), since: now, at: now) { !ended.contains($0.id) }
    }

    mutating func connected(_ id: Int, lifetime: UInt64 = 1800) -> State.Actions {
        state.connected(Connection(id: id), expiry: now + lifetime * Self.second, at: now)
    }

    mutating func release(_ id: Int, isReusable: Bool = true) -> State.Actions {
        state.release(Connection(id: id), isReusable: isReusable, at: now)
    }

    mutating func fire(_ timer: State.Timer, afterSeconds seconds: UInt64) -> State.Actions {
        now += seconds * Self.second
        return state.timerFired(timer, at: now)
    }

    /// Opens connections with the numbers from 1, and lends them to waiters with the same numbers.
    mutating func lend(_ count: Int) {
        for number in 1...count {
            _ = acquire(number)
            _ = connected(number)
        }
    }

    var numbers: ConnectionPool.Statistics {
        state.statistics
    }
}

extension ConnectionPoolState.Actions where Connection == SimulatedPool.Connection, Waiter == SimulatedPool.Waiter {
    var lent: [Int] { lend.map { [$0.waiter.id, $0.connection.id] } ?? [] }
    var closed: [Int] { close.map(\.id) }
    var failed: [Int] { fail.map(\.id) }

    /// A Boolean value that indicates whether there is nothing to do.
    var isNothing: Bool {
        lent.isEmpty && closed.isEmpty && failed.isEmpty && connect == 0 && timer == nil && !isDrained
    }
}

private let refused = DatabaseError(code: .connectionFailed, message: "Nobody listens.", sqlState: "08001")

@Suite("The state of a connection pool")
struct ConnectionPoolStateTests {
    // MARK: Lending

    @Test("The connection that was used last is lent first")
    func lastUsedIsLentFirst() {
        var pool = SimulatedPool()
        pool.lend(2)
        _ = pool.release(2)
        _ = pool.release(1)
        #expect(pool.acquire(3).lent == [3, 1])
        #expect(pool.acquire(4).lent == [4, 2])
    }

    @Test("Waiters are served in the order in which they came")
    func waitersAreServedInOrder() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        for waiter in 2...4 { #expect(pool.acquire(waiter).lent == []) }
        for waiter in 2...4 { #expect(pool.release(1).lent == [waiter, 1]) }
        _ = pool.release(1)
        #expect(pool.numbers == .init(open: 1, idle: 1, waiting: 0, created: 1, evicted: 0))
    }

    @Test("One connection is opened for each waiter, and no more than the limit")
    func connectionsAreLimited() {
        var pool = SimulatedPool(size: 3)
        #expect((1...5).map { pool.acquire($0).connect } == [1, 1, 1, 0, 0])
        #expect(pool.connected(1).lent == [1, 1])
        #expect(pool.acquire(6).connect == 0)
    }

    @Test("A waiter takes the connection that is being opened for another one that was served meanwhile")
    func openedConnectionsServeAnyone() {
        var pool = SimulatedPool()
        pool.lend(1)
        #expect(pool.acquire(2).connect == 1)
        #expect(pool.release(1).lent == [2, 1])
        #expect(pool.acquire(3).connect == 0)
        #expect(pool.connected(2).lent == [3, 2])
    }

    @Test("A connection that is released twice is lent to one task only")
    func releasingTwiceLendsOnce() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.release(1)
        #expect(pool.release(1).isNothing)
        #expect(pool.numbers.idle == 1)
        #expect(pool.acquire(2).lent == [2, 1])
        #expect(pool.acquire(3).lent == [])
    }

    // MARK: Waiting

    @Test("A waiter that is cancelled fails, and the connection goes to the next one")
    func cancelledWaitersAreSkipped() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.acquire(2)
        _ = pool.acquire(3)
        let actions = pool.state.cancel(2)
        #expect(actions.failed == [2])
        guard case .cancelled = actions.failure else { return #expect(Bool(false), "\(actions.failure)") }
        #expect(pool.release(1).lent == [3, 1])
    }

    @Test("A cancellation that comes after the connection changes nothing")
    func lateCancellationsAreIgnored() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        #expect(pool.state.cancel(1).isNothing)
        #expect(pool.numbers.open == 1)
    }

    @Test("A waiter fails after the timeout because all connections are in use, and later ones wait on")
    func timeoutsEndWaiting() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        // The timer of the first waiter, which was served.
        #expect(pool.fire(.waiters, afterSeconds: 30).isNothing)
        #expect(pool.acquire(2).timer?.after == .seconds(30))
        pool.now += 10 * SimulatedPool.second
        #expect(pool.acquire(3).timer == nil)
        let actions = pool.fire(.waiters, afterSeconds: 20)
        #expect(actions.failed == [2])
        guard case .allInUse = actions.failure else { return #expect(Bool(false), "\(actions.failure)") }
        #expect(actions.timer?.timer == .waiters)
        #expect(actions.timer?.after == .seconds(10))
        #expect(pool.release(1).lent == [3, 1])
    }

    @Test("A waiter fails after the timeout with the error of the server when no connection can be made")
    func timeoutsNameTheServersError() {
        var pool = SimulatedPool(size: 1)
        _ = pool.acquire(1)
        _ = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        let actions = pool.fire(.waiters, afterSeconds: 30)
        #expect(actions.failed == [1])
        guard case .unreachable(let error) = actions.failure else { return #expect(Bool(false), "\(actions.failure)") }
        #expect(error?.sqlState == "08001")
    }

    @Test("An error that a later connection has disproved is not the reason of a timeout")
    func oldErrorsAreForgotten() {
        var pool = SimulatedPool(size: 1)
        _ = pool.acquire(1)
        _ = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        _ = pool.connected(1)
        _ = pool.release(1, isReusable: false)
        _ = pool.acquire(2)
        let actions = pool.fire(.waiters, afterSeconds: 30)
        #expect(actions.failed == [2])
        guard case .unreachable(let error) = actions.failure else { return #expect(Bool(false), "\(actions.failure)") }
        #expect(error == nil)
    }

    @Test("The timeout begins with the wish for a connection, not with the place in the queue")
    func timeoutsBeginEarly() {
        var pool = SimulatedPool(size: 1)
        let start = pool.now
        pool.now += 10 * SimulatedPool.second
        let waiter = SimulatedPool.Waiter(id: 1)
        let actions = pool.state.enqueue(waiter, since: start, at: pool.now) { _ in true }
        #expect(actions.timer?.after == .seconds(20))
    }

    // MARK: Broken and old connections

    @Test("An idle connection that ended is closed instead of lent, and another one is opened")
    func endedConnectionsAreNotLent() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.release(1)
        pool.ended = [1]
        let actions = pool.acquire(2)
        #expect(actions.closed == [1])
        #expect(actions.lent == [])
        #expect(actions.connect == 1)
        #expect(pool.numbers.evicted == 1)
    }

    @Test("A connection that ends while it is idle is forgotten, and one that ends while it is lent is not")
    func endedIdleConnectionsAreForgotten() {
        var pool = SimulatedPool()
        pool.lend(2)
        _ = pool.release(1)
        pool.state.connectionEnded(1)
        pool.state.connectionEnded(2)
        #expect(pool.numbers == .init(open: 1, idle: 0, waiting: 0, created: 2, evicted: 1))
    }

    @Test("A connection that comes back broken is closed, and another one is opened for the waiter")
    func brokenConnectionsAreReplaced() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.acquire(2)
        let actions = pool.release(1, isReusable: false)
        #expect(actions.closed == [1])
        #expect(actions.lent == [])
        #expect(actions.connect == 1)
        #expect(pool.connected(2).lent == [2, 2])
    }

    @Test("A connection that comes back after its lifetime is closed, and another one is opened for the waiter")
    func oldConnectionsAreReplaced() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.acquire(2)
        pool.now = 1800 * SimulatedPool.second
        let actions = pool.release(1)
        #expect(actions.closed == [1])
        #expect(actions.connect == 1)
    }

    @Test("An idle connection is not lent after its lifetime")
    func oldConnectionsAreNotLent() {
        var pool = SimulatedPool(size: 1)
        pool.lend(1)
        _ = pool.release(1)
        pool.now = 1800 * SimulatedPool.second
        let actions = pool.acquire(2)
        #expect(actions.closed == [1])
        #expect(actions.connect == 1)
    }

    @Test("A timer closes the idle connections whose lifetime is over, and is set for the next one")
    func idleConnectionsEndWithTheirLifetime() {
        var pool = SimulatedPool()
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        _ = pool.connected(1, lifetime: 100)
        _ = pool.connected(2, lifetime: 160)
        #expect(pool.release(1).timer?.after == .seconds(100))
        #expect(pool.release(2).timer == nil)
        let actions = pool.fire(.idle, afterSeconds: 100)
        #expect(actions.closed == [1])
        #expect(actions.timer?.timer == .idle)
        #expect(actions.timer?.after == .seconds(60))
        #expect(pool.numbers == .init(open: 1, idle: 1, waiting: 0, created: 2, evicted: 1))
    }

    @Test("The timer of the idle connections fires at most once a second")
    func idleTimerHasAMinimum() {
        var pool = SimulatedPool()
        _ = pool.acquire(1)
        _ = pool.connected(1, lifetime: 1)
        pool.now += SimulatedPool.second - 1000
        #expect(pool.release(1).timer?.after == .seconds(1))
    }

    // MARK: Connecting

    @Test("A failed attempt to connect is repeated after a pause that doubles up to five seconds")
    func attemptsBackOff() {
        var pool = SimulatedPool(attempts: 6)
        _ = pool.acquire(1)
        let pauses = (1...6).map { pool.state.connectFailed(refused, attempt: $0, mayPass: true).pause }
        #expect(pauses == [.seconds(1), .seconds(2), .seconds(4), .seconds(5), .seconds(5), nil])
    }

    @Test("The first pause is the configured one, however long")
    func firstPauseIsTheConfiguredOne() {
        var state = SimulatedPool.State(
            .init(size: 1, acquireTimeout: .seconds(30), connectAttempts: 3, connectBackoff: .seconds(20))
        )
        #expect(state.connectFailed(refused, attempt: 1, mayPass: true).pause == .seconds(20))
        #expect(state.connectFailed(refused, attempt: 2, mayPass: true).pause == .seconds(5))
    }

    @Test("An error that cannot pass, such as a wrong password, is not tried again")
    func permanentErrorsAreNotRepeated() {
        var pool = SimulatedPool(attempts: 6)
        _ = pool.acquire(1)
        let (pause, actions) = pool.state.connectFailed(refused, attempt: 1, mayPass: false)
        #expect(pause == nil)
        #expect(actions.failed == [1])
    }

    @Test("The last failed attempt fails all waiters when there is no other connection")
    func lastFailureFailsWaiters() {
        var pool = SimulatedPool(size: 2, attempts: 1)
        for waiter in 1...3 { _ = pool.acquire(waiter) }
        let first = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        // The other attempt may succeed.
        #expect(first.actions.failed == [])
        let second = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        #expect(second.actions.failed == [1, 2, 3])
        guard case .connectFailed(let error as DatabaseError) = second.actions.failure else {
            return #expect(Bool(false), "\(second.actions.failure)")
        }
        #expect(error.sqlState == "08001")
    }

    @Test("Waiters stay while another connection is lent, and another round of attempts begins after a growing pause")
    func retriesWhileOthersAreLent() {
        var pool = SimulatedPool(size: 2, attempts: 1)
        pool.lend(1)
        #expect(pool.acquire(2).connect == 1)
        for pause in [1, 2, 4, 5, 5] {
            let actions = pool.state.connectFailed(refused, attempt: 1, mayPass: true).actions
            #expect(actions.failed == [])
            #expect(actions.timer?.timer == .retry)
            #expect(actions.timer?.after == .seconds(pause))
            #expect(pool.fire(.retry, afterSeconds: 0).connect == 1)
        }
        #expect(pool.connected(2).lent == [2, 2])
        _ = pool.release(2, isReusable: false)
        _ = pool.acquire(3)
        let again = pool.state.connectFailed(refused, attempt: 1, mayPass: true).actions
        #expect(again.timer?.after == .seconds(1))
    }

    @Test("A round of attempts opens nothing when the waiters were served meanwhile")
    func retriesNeedWaiters() {
        var pool = SimulatedPool(size: 2, attempts: 1)
        pool.lend(1)
        _ = pool.acquire(2)
        _ = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        #expect(pool.release(1).lent == [2, 1])
        #expect(pool.fire(.retry, afterSeconds: 1).isNothing)
    }

    // MARK: Closing

    @Test("Closing fails the waiters and closes idle connections at once, and lent ones as they come back")
    func closingWaitsForLentConnections() {
        var pool = SimulatedPool(size: 2)
        pool.lend(2)
        _ = pool.acquire(3)
        let actions = pool.state.close()
        #expect(actions.failed == [3])
        guard case .closed = actions.failure else { return #expect(Bool(false), "\(actions.failure)") }
        #expect(actions.closed == [])
        #expect(!actions.isDrained)
        let first = pool.release(1)
        #expect(first.closed == [1])
        #expect(!first.isDrained)
        let second = pool.release(2)
        #expect(second.closed == [2])
        #expect(second.isDrained)
        #expect(pool.numbers == .init(open: 0, idle: 0, waiting: 0, created: 2, evicted: 0))
    }

    @Test("Closing a pool whose connections are idle ends it at once, and again changes nothing")
    func closingIdlePools() {
        var pool = SimulatedPool(size: 2)
        pool.lend(2)
        _ = pool.release(1)
        _ = pool.release(2)
        let actions = pool.state.close()
        #expect(actions.closed == [1, 2])
        #expect(actions.isDrained)
        #expect(pool.state.close().closed == [])
    }

    @Test("A task that comes after the end fails, and no connection is opened for it")
    func closedPoolsServeNobody() {
        var pool = SimulatedPool()
        _ = pool.state.close()
        let actions = pool.acquire(1)
        #expect(actions.failed == [1])
        #expect(actions.connect == 0)
    }

    @Test("A connection that is opened after the end is closed, and the pool has ended only then")
    func connectionsOpenedAfterTheEndAreClosed() {
        var pool = SimulatedPool(size: 2)
        _ = pool.acquire(1)
        _ = pool.acquire(2)
        #expect(!pool.state.close().isDrained)
        let opened = pool.connected(1)
        #expect(opened.closed == [1])
        #expect(!opened.isDrained)
        let failed = pool.state.connectFailed(refused, attempt: 1, mayPass: true)
        #expect(failed.pause == nil)
        #expect(failed.actions.isDrained)
    }

    @Test("Lent connections are closed when the pool waits for them no longer, and nothing is left of them afterwards")
    func lentConnectionsCanBeClosed() {
        var pool = SimulatedPool(size: 2)
        pool.lend(2)
        _ = pool.state.close()
        let actions = pool.state.closeLent()
        #expect(actions.closed.sorted() == [1, 2])
        #expect(actions.isDrained)
        #expect(pool.release(1).closed == [1])
        #expect(pool.numbers.open == 0)
    }

    @Test("A pool that was not closed does not close lent connections")
    func openPoolsKeepLentConnections() {
        var pool = SimulatedPool()
        pool.lend(1)
        #expect(pool.state.closeLent().isNothing)
        #expect(pool.numbers.open == 1)
    }
}
