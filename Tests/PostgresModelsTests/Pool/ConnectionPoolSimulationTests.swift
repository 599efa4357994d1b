import Testing

@testable import PostgresModels

/// Random events against a state, and what must hold after each of them.
private struct Simulation {
    private let size = 4
    private var pool: SimulatedPool
    private var random: SplitMix
    /// The connections that are open, as far as the outside can know, and those of them that are lent.
    private var open: Set<Int> = []
    private var lent: Set<Int> = []
    /// The waiters without a connection or an error.
    private var waiting: Set<Int> = []
    /// The numbers of the attempts to connect that are under way.
    private var attempts: [Int] = []
    private var timers: [(deadline: UInt64, timer: SimulatedPool.State.Timer)] = []
    private var nextNumber = 1
    private var isDrained = false
    /// The number of times that each event happened, since a run in which one never happens proves nothing about it.
    private(set) var counts: [String: Int] = [:]
    /// The rules that were broken.
    private(set) var problems: [String] = []

    init(seed: UInt64) {
        pool = SimulatedPool(size: size)
        random = SplitMix(state: seed)
    }

    mutating func run(events: Int) {
        for _ in 0..<events where problems.isEmpty { step() }
        perform(pool.state.close(), of: "close")
        while let connection = lent.min(), problems.isEmpty {
            lent.remove(connection)
            perform(pool.release(connection), of: "last release")
        }
        while !attempts.isEmpty, problems.isEmpty { connect() }
        expect(waiting.isEmpty, "waiters \(waiting) were forgotten by the end")
        expect(open.isEmpty, "connections \(open) stayed open")
        expect(isDrained, "the pool did not end")
    }

    private mutating func step() {
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<30: acquire()
        case 30..<65: release()
        case 65..<80: connect()
        case 80..<85: cancel()
        case 85..<90: end()
        case 90..<99: advance(by: .random(in: 0...2_000_000_000, using: &random))
        default: advance(by: .random(in: 0...40, using: &random) * SimulatedPool.second)
        }
    }

    private mutating func acquire() {
        guard waiting.count < 20 else { return }
        let waiter = nextNumber
        nextNumber += 1
        let ended = pool.ended
        let (connection, actions) = pool.state.takeIdle(at: pool.now) { !ended.contains($0.id) }
        if let connection { lend(connection.id) }
        perform(actions, of: "take")
        guard connection == nil else { return }
        waiting.insert(waiter)
        perform(pool.acquire(waiter), of: "wait")
    }

    private mutating func release() {
        guard let connection = lent.sorted().randomElement(using: &random) else { return }
        lent.remove(connection)
        let isReusable = Int.random(in: 0..<10, using: &random) > 0 && !pool.ended.contains(connection)
        perform(pool.release(connection, isReusable: isReusable), of: isReusable ? "release" : "broken release")
        // Again: nobody has it, or another task.
        if !lent.contains(connection) { perform(pool.release(connection), of: "second release") }
    }

    private mutating func connect() {
        guard let attempt = attempts.popLast() else { return }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let error = DatabaseError(code: .connectionFailed, message: "Nobody listens.")
            let mayPass = Bool.random(using: &random)
            let (pause, actions) = pool.state.connectFailed(error, attempt: attempt, mayPass: mayPass)
            if pause != nil { attempts.append(attempt + 1) }
            perform(actions, of: pause == nil ? "last failure" : "failure")
        } else {
            let connection = nextNumber
            nextNumber += 1
            open.insert(connection)
            perform(pool.connected(connection, lifetime: .random(in: 1...60, using: &random)), of: "connected")
        }
    }

    private mutating func cancel() {
        guard let waiter = waiting.sorted().randomElement(using: &random) else { return }
        perform(pool.state.cancel(waiter), of: "cancel")
        expect(!waiting.contains(waiter), "waiter \(waiter) was cancelled and waits on")
    }

    /// A session ends; the state learns of it now, or later, or when it comes to lend the connection.
    private mutating func end() {
        if Bool.random(using: &random), let connection = open.sorted().randomElement(using: &random) {
            pool.ended.insert(connection)
            return
        }
        guard let connection = pool.ended.intersection(open).sorted().randomElement(using: &random) else { return }
        pool.state.connectionEnded(connection)
        if !lent.contains(connection) { open.remove(connection) }
        perform(SimulatedPool.State.Actions(), of: "end")
    }

    private mutating func advance(by time: UInt64) {
        pool.now += time
        while let index = timers.firstIndex(where: { $0.deadline <= pool.now }) {
            let timer = timers.remove(at: index).timer
            perform(pool.state.timerFired(timer, at: pool.now), of: "\(timer)")
        }
    }

    // MARK: Rules

    private mutating func perform(_ actions: SimulatedPool.State.Actions, of event: String) {
        counts[event, default: 0] += 1
        for connection in actions.closed {
            expect(!lent.contains(connection), "connection \(connection) was closed while it was lent (\(event))")
            open.remove(connection)
        }
        if let (waiter, connection) = actions.lend {
            serve(waiter.id, event)
            lend(connection.id)
        }
        for waiter in actions.failed { serve(waiter, event) }
        attempts += Array(repeating: 1, count: actions.connect)
        if let (timer, pause) = actions.timer {
            expect(!timers.contains { $0.timer == timer }, "the timer \(timer) was set twice (\(event))")
            timers.append((pool.now + UInt64(pause / .nanoseconds(1)), timer))
        }
        if actions.isDrained { isDrained = true }
        checkNumbers(event)
    }

    private mutating func lend(_ connection: Int) {
        expect(lent.insert(connection).inserted, "connection \(connection) was lent twice")
        expect(open.contains(connection), "connection \(connection) was lent after it was closed")
    }

    private mutating func serve(_ waiter: Int, _ event: String) {
        expect(waiting.remove(waiter) != nil, "waiter \(waiter) was served twice (\(event))")
    }

    private mutating func checkNumbers(_ event: String) {
        let numbers = pool.numbers
        expect(open.count + attempts.count <= size, "\(open.count) open and \(attempts.count) being opened (\(event))")
        expect(numbers.open == open.count, "\(numbers.open) open instead of \(open.count) (\(event))")
        expect(numbers.idle == open.count - lent.count, "\(numbers.idle) idle (\(event))")
        expect(numbers.waiting == waiting.count, "\(numbers.waiting) waiting instead of \(waiting.count) (\(event))")
        expect(numbers.idle == 0 || waiting.isEmpty, "tasks wait beside idle connections (\(event))")
        expect(numbers.idle == 0 || isSet(.idle), "no timer ends idle connections (\(event))")
        guard !waiting.isEmpty else { return }
        expect(isSet(.waiters), "no timer ends the waiting (\(event))")
        let isHopeful = !attempts.isEmpty || isSet(.retry) || lent.count == size
        expect(isHopeful, "nothing will ever serve \(waiting) (\(event))")
    }

    private func isSet(_ timer: SimulatedPool.State.Timer) -> Bool {
        timers.contains { $0.timer == timer }
    }

    private mutating func expect(_ isTrue: Bool, _ problem: String) {
        if !isTrue { problems.append(problem) }
    }
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

@Suite("Random events in a connection pool")
struct ConnectionPoolSimulationTests {
    @Test(
        "No connection is lent twice, no limit is exceeded and no waiter is forgotten in 10,000 events",
        arguments: [1, 2, 3, 4] as [UInt64]
    )
    func invariantsHold(_ seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.run(events: 10_000)
        #expect(simulation.problems == [])
        for event in [
            "take", "wait", "release", "broken release", "second release", "failure", "last failure", "connected",
            "cancel", "end", "waiters", "idle", "retry",
        ] {
            #expect(simulation.counts[event, default: 0] > 10, "\(event) in \(simulation.counts)")
        }
    }
}
