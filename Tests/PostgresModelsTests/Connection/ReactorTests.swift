import NIOConcurrencyHelpers
import Testing

@testable import PostgresModels

@Suite struct ReactorTests {
    /// What a connection does at its end comes after that of the reactor when the process is about to exit.
    @Test func nothingTouchesThePollerOnceItIsClosed() async throws {
        let poller = try WitnessPoller()
        let reactor = try Reactor(poller: poller)
        let token = try #require(reactor.add(0, client: DeafClient()))
        reactor.setWantsWrite(true, descriptor: 0, token: token)
        reactor.stop()
        #expect(try await TestServer.eventually { poller.isClosed })
        reactor.setWantsWrite(false, descriptor: 0, token: token)
        reactor.remove(0, token: token)
        reactor.stop()
        #expect(reactor.add(0, client: DeafClient()) == nil)
        #expect(poller.lateCalls == 0)
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
