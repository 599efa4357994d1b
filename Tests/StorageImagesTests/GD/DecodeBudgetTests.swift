import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import StorageImages

/// The memory of all decodes: in order, bounded, cancellable.
@Suite struct DecodeBudgetTests {
    private func budget(_ total: Int64 = 100, line: Int = 10, patience: Duration = .seconds(60)) -> DecodeBudget {
        DecodeBudget(total: total, longestLine: line, patience: patience)
    }

    @Test func aGrantGoesBackWithItsLastReference() async throws {
        let budget = budget()
        var grant = try await budget.acquire(60)
        #expect(grant != nil && budget.free == 40)
        grant = nil
        #expect(budget.free == 100)
    }

    @Test func whatIsOverTheWholeBudgetIsNotWaitedFor() async throws {
        #expect(try await budget().acquire(101) == nil)
    }

    @Test func thoseWhoWaitComeInOrder() async throws {
        let budget = budget()
        var first = try await budget.acquire(80)
        let order = NIOLockedValueBox<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        // The large one comes first; the small ones, which would fit, do not overtake it.
        for (index, need) in [90, 10, 10].enumerated() {
            tasks.append(
                Task {
                    let grant = try await budget.acquire(Int64(need))
                    order.withLockedValue { $0.append(index) }
                    try await Task.sleep(for: .milliseconds(5))
                    withExtendedLifetime(grant) {}
                }
            )
            #expect(try await eventually { budget.waiting == index + 1 })
        }
        #expect(order.withLockedValue { $0 } == [])
        withExtendedLifetime(first) {}
        first = nil
        for task in tasks { try await task.value }
        #expect(order.withLockedValue { Set($0.prefix(2)) } == [0, 1])
        #expect(order.withLockedValue { $0.last } == 2)
        #expect(budget.free == 100)
    }

    @Test func aCancelledWaiterLeavesAndLetsOthersBy() async throws {
        let budget = budget()
        let first = try await budget.acquire(80)
        let large = Task { _ = try await budget.acquire(90) }
        #expect(try await eventually { budget.waiting == 1 })
        let small = Task { _ = try await budget.acquire(20) }
        #expect(try await eventually { budget.waiting == 2 })
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        try await small.value
        #expect(budget.waiting == 0)
        withExtendedLifetime(first) {}
    }

    @Test func aFullLineTurnsAway() async throws {
        let budget = budget(line: 1)
        let first = try await budget.acquire(100)
        let waiter = Task { _ = try await budget.acquire(1) }
        #expect(try await eventually { budget.waiting == 1 })
        let error = await #expect(throws: ImageError.self) { _ = try await budget.acquire(1) }
        #expect(error?.code == .busy)
        waiter.cancel()
        withExtendedLifetime(first) {}
    }

    @Test func patienceEnds() async throws {
        let budget = budget(patience: .milliseconds(20))
        let first = try await budget.acquire(100)
        let error = await #expect(throws: ImageError.self) { _ = try await budget.acquire(1) }
        #expect(error?.code == .busy && budget.waiting == 0)
        withExtendedLifetime(first) {}
    }

    @Test func nobodyWaitsWithoutADeadline() async throws {
        // Whether somebody has to wait is decided when he stands in line, not a moment before.
        for _ in 0..<200 {
            let budget = budget(patience: .milliseconds(5))
            let turnedAway = NIOLockedValueBox(0)
            let holders = NIOLockedValueBox<[DecodeBudget.Grant?]>([])
            let tasks = (0..<8).map { _ in
                Task {
                    do {
                        let grant = try await budget.acquire(100)
                        holders.withLockedValue { $0.append(grant) }
                    } catch is ImageError {
                        turnedAway.withLockedValue { $0 += 1 }
                    }
                }
            }
            let isOver = try await eventually { turnedAway.withLockedValue { $0 } == 7 }
            for task in tasks { task.cancel() }
            try #require(isOver)
            #expect(budget.waiting == 0 && holders.withLockedValue { $0.count } == 1)
        }
    }

    @Test func manyAtOnceNeverExceedTheBudget() async throws {
        let budget = budget(100, line: 1000)
        let used = NIOLockedValueBox((now: 0, most: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<300 {
                group.addTask {
                    let need = 1 + index * 7 % 60
                    let grant = try await budget.acquire(Int64(need))
                    used.withLockedValue { used in
                        used.now += need
                        used.most = max(used.most, used.now)
                    }
                    await Task.yield()
                    used.withLockedValue { $0.now -= need }
                    withExtendedLifetime(grant) {}
                }
            }
            try await group.waitForAll()
        }
        #expect(used.withLockedValue { $0.most } <= 100)
        #expect(budget.free == 100)
    }
}
