import NIOConcurrencyHelpers
import Platform
import Synchronization

/// The owner of a socket that the reactor watches.
protocol ReactorClient: AnyObject, Sendable {
    /// Handles the readiness of a socket, on the reactor's thread, with no lock of the reactor held.
    func socketReady(readable: Bool, writable: Bool)
}

/// A thread that waits for the sockets of all connections, runs their timers and, as a task executor, the tasks that
/// prefer it: a task that runs here gets its rows without a hop between threads.
package final class Reactor: TaskExecutor, Sendable {
    private struct Timer {
        var deadline: UInt64
        var id: UInt64
        var action: @Sendable () -> Void
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var clients: [UInt64: any ReactorClient] = [:]
        var nextToken: UInt64 = 1
        var timers: [Timer] = []
        var nextTimer: UInt64 = 1
        var isSleeping = false
        var isStopped = false
    }

    /// The state of the poller.
    private struct Registrations {
        /// The token under which the poller watches a descriptor.
        ///
        /// libpq closes its socket by itself when it meets the end of the session, and the next connection may have the
        /// same number before the owner of the old one learns of it. What the old one still asks for is not for the
        /// new.
        var tokens: [Int32: UInt64] = [:]
        /// The poller's own descriptors may be somebody else's once it is closed.
        var isClosed = false
    }

    private let poller: any SocketPoller
    private let state = NIOLockedValueBox(State())
    /// The registered clients; the lock also orders the calls to the poller, so that the map and the watched
    /// descriptors never differ.
    private let registrations = NIOLockedValueBox(Registrations())
    private let thread = Atomic<UInt>(0)
    private let hasEnded = Atomic<Bool>(false)

    /// Starts the thread.
    ///
    /// - Throws: `DatabaseError.connectionFailed` when the system has no descriptor or thread left.
    init(poller: (any SocketPoller)?) throws {
        guard let poller else { throw Self.exhausted("descriptors") }
        self.poller = poller
        guard PrivateThread.start({ [self] in run() }) else {
            poller.close()
            throw Self.exhausted("threads")
        }
    }

    // MARK: The shared one

    private static let sharedReactor = NIOLockedValueBox<Reactor?>(nil)

    /// The reactor of the process, started with the first call.
    package static func shared() throws -> Reactor {
        try sharedReactor.withLockedValue { shared in
            if let shared { return shared }
            #if os(Linux)
                let reactor = try Reactor(poller: EpollPoller())
            #else
                let reactor = try Reactor(poller: PollPoller())
            #endif
            // Handlers of exit() free what OpenSSL needs; the thread must not be inside libpq by then.
            atexit { Reactor.stopShared() }
            shared = reactor
            return reactor
        }
    }

    private static func stopShared() {
        guard let reactor = sharedReactor.withLockedValue({ $0 }) else { return }
        reactor.stop()
        guard reactor.thread.load(ordering: .acquiring) != PrivateThread.current else { return }
        // A task that never yields must not keep the process alive.
        for _ in 0..<50 where !reactor.hasEnded.load(ordering: .acquiring) { usleep(1000) }
    }

    /// Ends the thread after what it is doing; connections and tasks on it stand still from then on.
    func stop() {
        state.withLockedValue { $0.isStopped = true }
        wake()
    }

    /// Ends the thread's sleep.
    private func wake() {
        registrations.withLockedValue { if !$0.isClosed { poller.wake() } }
    }

    private static func exhausted(_ what: String) -> DatabaseError {
        DatabaseError(
            code: .connectionFailed,
            message: "The process has no \(what) left to watch connections with. Raise its limits (ulimit -n, -u)."
        )
    }

    // MARK: Sockets

    /// Watches a socket; nil when the system refuses, or the thread has ended.
    func add(_ descriptor: Int32, client: any ReactorClient) -> UInt64? {
        let token = state.withLockedValue { state in
            let token = state.nextToken
            state.nextToken += 1
            state.clients[token] = client
            return token
        }
        let isWatched = registrations.withLockedValue { registrations in
            guard !registrations.isClosed else { return false }
            // A descriptor that comes anew has been closed: nobody watches it under the token it had.
            let isWatched = poller.add(descriptor, token: token)
            registrations.tokens[descriptor] = isWatched ? token : nil
            return isWatched
        }
        if isWatched { return token }
        _ = state.withLockedValue { $0.clients.removeValue(forKey: token) }
        return nil
    }

    /// Also watches for room to write, or stops doing so; nothing when the descriptor is no longer this token's.
    func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64) {
        registrations.withLockedValue { registrations in
            guard !registrations.isClosed, registrations.tokens[descriptor] == token else { return }
            poller.setWantsWrite(wantsWrite, descriptor: descriptor, token: token)
        }
    }

    /// Stops watching; an event that is already on its way finds nothing under the token.
    ///
    /// A descriptor that is registered under another token by now stays watched.
    func remove(_ descriptor: Int32, token: UInt64) {
        registrations.withLockedValue { registrations in
            guard !registrations.isClosed, registrations.tokens[descriptor] == token else { return }
            registrations.tokens[descriptor] = nil
            poller.remove(descriptor)
        }
        _ = state.withLockedValue { $0.clients.removeValue(forKey: token) }
    }

    // MARK: Timers

    /// Runs `action` on the reactor's thread when the time is over, unless it is cancelled before.
    func schedule(after delay: Duration, _ action: @escaping @Sendable () -> Void) -> UInt64 {
        let deadline = MonotonicTime.now + delay.nanoseconds
        let (id, mustWake) = state.withLockedValue { state in
            let id = state.nextTimer
            state.nextTimer += 1
            let place = state.timers.lastIndex { $0.deadline <= deadline }.map { $0 + 1 } ?? 0
            state.timers.insert(Timer(deadline: deadline, id: id, action: action), at: place)
            let mustWake = state.isSleeping && place == 0
            if mustWake { state.isSleeping = false }
            return (id, mustWake)
        }
        if mustWake { wake() }
        return id
    }

    func cancelTimer(_ id: UInt64) {
        state.withLockedValue { $0.timers.removeAll { $0.id == id } }
    }

    // MARK: Tasks

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isHere = thread.load(ordering: .relaxed) == PrivateThread.current
        let mustWake = state.withLockedValue { state in
            state.jobs.append(job)
            guard state.isSleeping, !isHere else { return false }
            state.isSleeping = false
            return true
        }
        if mustWake { wake() }
    }

    private func run() {
        thread.store(PrivateThread.current, ordering: .releasing)
        var jobs: [UnownedJob] = []
        var due: [@Sendable () -> Void] = []
        var events: [SocketEvent] = []
        var ready: [(client: any ReactorClient, event: SocketEvent)] = []
        while true {
            let pause = state.withLockedValue { state -> Int32? in
                if state.isStopped { return nil }
                swap(&state.jobs, &jobs)
                return Self.takeDue(&state, into: &due, hasJobs: !jobs.isEmpty)
            }
            guard let pause else { break }
            for job in jobs { job.runSynchronously(on: asUnownedTaskExecutor()) }
            jobs.removeAll(keepingCapacity: true)
            for action in due { action() }
            due.removeAll(keepingCapacity: true)
            poller.wait(milliseconds: pause, into: &events)
            state.withLockedValue { state in
                state.isSleeping = false
                for event in events {
                    if let client = state.clients[event.token] { ready.append((client, event)) }
                }
            }
            for (client, event) in ready {
                client.socketReady(readable: event.isReadable, writable: event.isWritable)
            }
            ready.removeAll(keepingCapacity: true)
        }
        registrations.withLockedValue { registrations in
            registrations.isClosed = true
            poller.close()
        }
        hasEnded.store(true, ordering: .releasing)
    }

    /// Moves the timers that are due to `due`; how long to wait for sockets, in milliseconds.
    private static func takeDue(
        _ state: inout State,
        into due: inout [@Sendable () -> Void],
        hasJobs: Bool
    ) -> Int32 {
        var pause: Int32 = -1
        if let first = state.timers.first {
            let now = MonotonicTime.now
            if first.deadline <= now {
                let count = state.timers.firstIndex { $0.deadline > now } ?? state.timers.count
                due.append(contentsOf: state.timers[..<count].map(\.action))
                state.timers.removeFirst(count)
            }
            if let next = state.timers.first {
                pause = Int32(clamping: (next.deadline - min(now, next.deadline)) / 1_000_000 + 1)
            }
        }
        if hasJobs || !due.isEmpty { return 0 }
        state.isSleeping = true
        return pause
    }
}
