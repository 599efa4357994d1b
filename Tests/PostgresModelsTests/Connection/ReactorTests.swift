import NIOConcurrencyHelpers
import Platform
import Synchronization
import TestSupport
import Testing

@testable import PostgresModels

@Suite struct ReactorTests {
    /// Checks a connection that ends after the reactor, as when the process is about to exit.
    @Test("A stopped reactor makes no more calls to its poller")
    func nothingTouchesThePollerOnceItIsClosed() async throws {
        let poller = try WitnessPoller()
        let reactor = try Reactor(poller: poller)
        let token = try #require(reactor.add(0, client: DeafClient()))
        reactor.setWantsWrite(true, descriptor: 0, token: token)
        reactor.stop()
        #expect(try await eventually { poller.isClosed })
        reactor.setWantsWrite(false, descriptor: 0, token: token)
        reactor.remove(0, token: token)
        reactor.stop()
        #expect(reactor.add(0, client: DeafClient()) == nil)
        #expect(poller.lateCalls == 0)
    }

    /// The last request of the owner of a closed socket, when the next owner has the number already.
    enum LateCall: CaseIterable {
        case remove, wantWrite, wantNoWrite
    }

    @Test(
        "A reused descriptor stays watched when its former owner makes a late request",
        arguments: PollerKind.allCases,
        LateCall.allCases
    )
    func aReusedDescriptorStaysWatchedWhateverItsFormerOwnerAsksFor(_ kind: PollerKind, _ late: LateCall) async throws {
        let reactor = try Reactor(poller: kind.make())
        defer { reactor.stop() }
        let (former, next) = (try SocketPair(), try SocketPair())
        let (formerClient, nextClient) = (CountingClient(former.near), CountingClient(former.near))
        let formerToken = try #require(reactor.add(former.near, client: formerClient))
        // Closes the number and gives it to the other socket, in one step: another test may not have it in between.
        try #require(dup2(next.near, former.near) == former.near)
        let token = try #require(reactor.add(former.near, client: nextClient))
        switch late {
        case .remove: reactor.remove(former.near, token: formerToken)
        case .wantWrite: reactor.setWantsWrite(true, descriptor: former.near, token: formerToken)
        case .wantNoWrite: reactor.setWantsWrite(false, descriptor: former.near, token: formerToken)
        }
        next.send()
        #expect(try await eventually { nextClient.count > 0 })
        #expect(formerClient.count == 0)
        // And its own owner can still take it back.
        reactor.remove(former.near, token: token)
        let seen = nextClient.count
        next.send()
        let witness = try SocketPair()
        let witnessClient = CountingClient(witness.near)
        _ = reactor.add(witness.near, client: witnessClient)
        witness.send()
        #expect(try await eventually { witnessClient.count > 0 })
        #expect(nextClient.count == seen)
    }

    @Test(
        "A descriptor that is added again without being removed belongs to its new client",
        arguments: PollerKind.allCases
    )
    func aSocketThatNobodyTookBackIsTakenOver(_ kind: PollerKind) async throws {
        let reactor = try Reactor(poller: kind.make())
        defer { reactor.stop() }
        let pair = try SocketPair()
        let (former, next) = (CountingClient(pair.near), CountingClient(pair.near))
        let formerToken = try #require(reactor.add(pair.near, client: former))
        _ = try #require(reactor.add(pair.near, client: next))
        reactor.remove(pair.near, token: formerToken)
        pair.send()
        #expect(try await eventually { next.count > 0 })
        #expect(former.count == 0)
    }
}

/// The ways to wait that this system has.
enum PollerKind: CaseIterable {
    #if os(Linux)
        case epoll
    #endif
    case poll

    func make() -> (any SocketPoller)? {
        switch self {
        #if os(Linux)
            case .epoll: EpollPoller()
        #endif
        case .poll: PollPoller()
        }
    }
}

/// Two sockets that are connected, closed with the last reference.
private final class SocketPair: Sendable {
    let near: Int32
    let far: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        #if canImport(Darwin)
            let kind = SOCK_STREAM
        #else
            let kind = Int32(SOCK_STREAM.rawValue)
        #endif
        try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
        (near, far) = (ends[0], ends[1])
    }

    deinit {
        closeDescriptor(near)
        closeDescriptor(far)
    }

    func send() {
        var byte: UInt8 = 1
        _ = write(far, &byte, 1)
    }
}

/// Reads what comes, and counts how often something did.
private final class CountingClient: ReactorClient {
    private let descriptor: Int32
    private let calls = Atomic<Int>(0)

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    var count: Int { calls.load(ordering: .acquiring) }

    func socketReady(readable: Bool, writable: Bool) {
        var byte: UInt8 = 0
        if readable { _ = read(descriptor, &byte, 1) }
        calls.wrappingAdd(1, ordering: .acquiringAndReleasing)
    }
}

private final class DeafClient: ReactorClient {
    func socketReady(readable: Bool, writable: Bool) {}
}

/// Watches nothing, can be woken, and counts what is asked of it after its end.
private final class WitnessPoller: SocketPoller {
    private struct State {
        var isClosed = false
        var lateCalls = 0
    }

    private let state = NIOLockedValueBox(State())
    private let sleeper: PollPoller

    init() throws {
        sleeper = try #require(PollPoller())
    }

    var isClosed: Bool { state.withLockedValue { $0.isClosed } }
    var lateCalls: Int { state.withLockedValue { $0.lateCalls } }

    private func note() {
        state.withLockedValue { if $0.isClosed { $0.lateCalls += 1 } }
    }

    func add(_ descriptor: Int32, token: UInt64) -> Bool {
        note()
        return true
    }

    func setWantsWrite(_ wantsWrite: Bool, descriptor: Int32, token: UInt64) {
        note()
    }

    func remove(_ descriptor: Int32) {
        note()
    }

    func wait(milliseconds: Int32, into events: inout [SocketEvent]) {
        sleeper.wait(milliseconds: milliseconds, into: &events)
    }

    func wake() {
        note()
        sleeper.wake()
    }

    func close() {
        state.withLockedValue { $0.isClosed = true }
        sleeper.close()
    }
}
