import NIOConcurrencyHelpers
import Platform
import TestSupport
import Testing

/// A count of the bodies that run.
private final class Gauge: Sendable {
    private let state = NIOLockedValueBox((now: 0, most: 0, total: 0))

    var now: Int { state.withLockedValue { $0.now } }
    var most: Int { state.withLockedValue { $0.most } }
    var total: Int { state.withLockedValue { $0.total } }

    func run<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        state.withLockedValue { state in
            state.now += 1
            state.total += 1
            state.most = max(state.most, state.now)
        }
        defer { state.withLockedValue { $0.now -= 1 } }
        return try await body()
    }
}

private struct Failure: Error {}

@Suite("Bounded concurrency", .timeLimit(.minutes(3)))
struct ConcurrencyLimitTests {
    private let gauge = Gauge()

    @Test("Work runs for as many elements at a time as the limit allows, and never for more", arguments: [1, 3, 16])
    func limit(limit: Int) async throws {
        let isFull = NIOLockedValueBox(false)
        try await (0..<100).forEachConcurrently(limit: limit) { [gauge] _ in
            try await gauge.run {
                if gauge.now == limit { isFull.withLockedValue { $0 = true } }
                // The first ones stay until there are as many as may be.
                let isReached = try await eventually { isFull.withLockedValue { $0 } }
                #expect(isReached)
                await Task.yield()
            }
        }
        #expect(gauge.most == limit && gauge.total == 100)
    }

    @Test("A limit below 1 runs the work for one element at a time", arguments: [0, -1])
    func noLimit(limit: Int) async throws {
        try await (0..<10).forEachConcurrently(limit: limit) { [gauge] _ in await gauge.run { await Task.yield() } }
        #expect(gauge.most == 1 && gauge.total == 10)
    }

    @Test("Results are in the order of the elements, whatever order they finish in")
    func order() async throws {
        let isLastDone = NIOLockedValueBox(false)
        let results = try await Array(0..<20).mapConcurrently(limit: 20) { number in
            if number == 19 {
                isLastDone.withLockedValue { $0 = true }
            } else {
                let isReached = try await eventually { isLastDone.withLockedValue { $0 } }
                #expect(isReached)
            }
            return number * 2
        }
        #expect(results == (0..<20).map { $0 * 2 })
    }

    @Test("Results may be nil, and no elements give no results")
    func optional() async throws {
        let results = try await [1, 2, 3].mapConcurrently(limit: 2) { $0 == 2 ? nil : $0 }
        #expect(results == [1, nil, 3])
        #expect(try await [Int]().mapConcurrently(limit: 2) { $0 } == [])
    }

    @Test("The first error cancels the running work, is thrown after it ended, and starts no more")
    func firstError() async throws {
        let cancelled = NIOLockedValueBox(0)
        await #expect(throws: Failure.self) {
            try await (0..<100).forEachConcurrently(limit: 4) { [gauge] number in
                try await gauge.run {
                    if number == 3 { throw Failure() }
                    do {
                        try await Task.sleep(for: .seconds(600))
                    } catch {
                        cancelled.withLockedValue { $0 += 1 }
                        throw error
                    }
                }
            }
        }
        #expect(gauge.now == 0 && gauge.total == 4)
        #expect(cancelled.withLockedValue { $0 } == 3)
    }

    @Test("Concurrent work is cancelled with its task")
    func cancellation() async throws {
        let task = Task { [gauge] in
            try await (0..<100).mapConcurrently(limit: 4) { _ in
                try await gauge.run { try await Task.sleep(for: .seconds(600)) }
            }
        }
        try #require(await eventually { gauge.now == 4 })
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(gauge.now == 0 && gauge.total == 4)
    }

    @Test("The next element of a sequence is read while others are processed, but not the one after it")
    func inputs() async throws {
        let isOpen = NIOLockedValueBox(false)
        let (taken, sum) = (NIOLockedValueBox(0), NIOLockedValueBox(0))
        let task = Task {
            try await processConcurrently(limit: 2) {
                taken.withLockedValue { taken in
                    taken += 1
                    return taken <= 10 ? taken : nil
                }
            } transform: { number in
                let isReached = try await eventually { isOpen.withLockedValue { $0 } }
                #expect(isReached)
                return number
            } collect: { number in
                sum.withLockedValue { $0 += number }
            }
        }
        try #require(await eventually { taken.withLockedValue { $0 } == 3 })
        for _ in 0..<100 { await Task.yield() }
        #expect(taken.withLockedValue { $0 } == 3)
        isOpen.withLockedValue { $0 = true }
        try await task.value
        #expect(sum.withLockedValue { $0 } == 55)
    }

    @Test("An error of the input sequence is thrown after the running work has ended")
    func failingInput() async throws {
        var count = 0
        await #expect(throws: Failure.self) {
            try await processConcurrently(limit: 4) {
                count += 1
                if count > 2 { throw Failure() }
                return count
            } transform: { [gauge] _ in
                try await gauge.run { try await Task.sleep(for: .seconds(600)) }
            } collect: { _ in
            }
        }
        #expect(gauge.now == 0)
    }
}
