import NIOConcurrencyHelpers
import Testing

@testable import StoragesS3

@Suite("A gate with weights", .timeLimit(.minutes(3)))
struct WeightedGateTests {
    /// Starts a task that enters, and returns when it is in the line.
    private func line(
        _ gate: WeightedGate,
        _ weight: Int,
        _ entered: @escaping @Sendable () -> Void = {}
    ) async throws -> Task<GatePass, any Error> {
        let before = gate.waiting
        let task = Task {
            let pass = try await gate.enter(weight: weight)
            entered()
            return pass
        }
        while gate.waiting == before { try await Task.sleep(for: .milliseconds(1)) }
        return task
    }

    @Test("lets so much through, and no more")
    func capacity() async throws {
        let gate = WeightedGate(capacity: 10)
        let first = try await gate.enter(weight: 6)
        let second = try await gate.enter(weight: 4)
        #expect(gate.inUse == 10)
        let third = try await line(gate, 1)
        first.giveBack()
        let pass = try await third.value
        #expect(gate.inUse == 5)
        first.giveBack()
        #expect(gate.inUse == 5, "given back once only")
        second.giveBack()
        pass.giveBack()
        #expect(gate.inUse == 0)
    }

    @Test(
        "takes more than all of it for all, and less than nothing for one",
        arguments: [(11, 10), (Int.max, 10), (0, 1), (-3, 1)]
    )
    func bounds(weight: Int, counted: Int) async throws {
        let gate = WeightedGate(capacity: 10)
        let pass = try await gate.enter(weight: weight)
        #expect(gate.inUse == counted)
        pass.giveBack()
        #expect(gate.inUse == 0)
    }

    @Test("gives back what is dropped")
    func drop() async throws {
        let gate = WeightedGate(capacity: 1)
        _ = try await gate.enter()
        #expect(gate.inUse == 0)
    }

    @Test("lets in by arrival, also those that fit where the first does not")
    func order() async throws {
        let gate = WeightedGate(capacity: 10)
        let all = try await gate.enter(weight: 10)
        let order = NIOLockedValueBox<[Int]>([])
        var tasks: [Task<GatePass, any Error>] = []
        for (number, weight) in [8, 1, 10, 1].enumerated() {
            tasks.append(try await line(gate, weight) { order.withLockedValue { $0.append(number) } })
        }
        all.giveBack()
        let first = try await tasks[0].value
        let second = try await tasks[1].value
        #expect(gate.inUse == 9)
        // One would be free for the last, but the third is before it.
        #expect(gate.waiting == 2)
        second.giveBack()
        #expect(gate.waiting == 2)
        first.giveBack()
        let third = try await tasks[2].value
        #expect(gate.inUse == 10)
        third.giveBack()
        let last = try await tasks[3].value
        #expect(gate.inUse == 1)
        last.giveBack()
        #expect(order.withLockedValue { $0.suffix(2) } == [2, 3])
        #expect(Set(order.withLockedValue { $0.prefix(2) }) == [0, 1])
    }

    @Test("lets those through that waited behind somebody who has gone")
    func cancellation() async throws {
        let gate = WeightedGate(capacity: 10)
        let half = try await gate.enter(weight: 5)
        let large = try await line(gate, 10)
        let small = try await line(gate, 1)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        let pass = try await small.value
        #expect(gate.inUse == 6)
        half.giveBack()
        pass.giveBack()
        #expect(gate.inUse == 0)
    }

    @Test("lets nobody wait longer than they want to")
    func limit() async throws {
        let gate = WeightedGate(capacity: 1)
        let pass = try #require(gate.enterAtOnce())
        #expect(gate.enterAtOnce() == nil)
        await #expect(throws: WaitLimitPassed.self) { try await gate.enter(within: .milliseconds(20)) }
        #expect(gate.waiting == 0)
        let waits = try await line(gate, 1)
        pass.giveBack()
        let second = try await waits.value
        #expect(gate.inUse == 1)
        second.giveBack()
        #expect(gate.inUse == 0)
    }

    @Test("does not let in who is cancelled already, although there is room")
    func cancelledBefore() async throws {
        let gate = WeightedGate(capacity: 1)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await gate.enter()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(gate.inUse == 0)
    }

    @Test("loses nothing when many come and go and are cancelled")
    func storm() async throws {
        let gate = WeightedGate(capacity: 7)
        let most = NIOLockedValueBox(0)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let task = Task {
                        let pass = try await gate.enter(weight: number % 9)
                        let inUse = gate.inUse
                        most.withLockedValue { $0 = max($0, inUse) }
                        await Task.yield()
                        pass.giveBack()
                    }
                    if number % 3 == 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(gate.inUse == 0)
        #expect(gate.waiting == 0)
        // The heaviest take all of it.
        #expect(most.withLockedValue { $0 } == 7)
    }
}
