import NIOConcurrencyHelpers
import Platform
import TestSupport
import Testing

@Suite("Asynchronous semaphore", .timeLimit(.minutes(3)))
struct AsyncSemaphoreTests {
    /// Starts a task that waits for a permit, and returns when it is in the line.
    private func waiter(
        for weight: Int,
        of semaphore: AsyncSemaphore,
        _ entered: @escaping @Sendable () -> Void = {}
    ) async throws -> Task<AsyncSemaphore.Permit, any Error> {
        let before = semaphore.waiterCount
        let task = Task {
            let permit = try await semaphore.acquire(weight: weight)
            entered()
            return permit
        }
        try #require(await eventually { semaphore.waiterCount > before })
        return task
    }

    @Test("A semaphore grants its capacity and no more")
    func capacity() async throws {
        let semaphore = AsyncSemaphore(capacity: 10)
        let first = try await semaphore.acquire(weight: 6)
        let second = try await semaphore.acquire(weight: 4)
        #expect(semaphore.inUse == 10 && semaphore.free == 0)
        let third = try await waiter(for: 1, of: semaphore)
        first.release()
        let permit = try await third.value
        #expect(semaphore.inUse == 5)
        first.release()
        #expect(semaphore.inUse == 5, "given back once only")
        second.release()
        permit.release()
        #expect(semaphore.inUse == 0)
    }

    @Test(
        "A weight above the capacity counts as all of it, and one below 1 as 1",
        arguments: [(11, 10), (Int.max, 10), (0, 1), (-3, 1)]
    )
    func bounds(weight: Int, counted: Int) async throws {
        let semaphore = AsyncSemaphore(capacity: 10)
        let permit = try await semaphore.acquire(weight: weight)
        #expect(permit.weight == counted && semaphore.inUse == counted)
        permit.release()
        let other = try #require(semaphore.tryAcquire(weight: weight))
        #expect(semaphore.inUse == counted)
        other.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("A permit is released with its last reference")
    func drop() async throws {
        let semaphore = AsyncSemaphore(capacity: 1)
        var permit: AsyncSemaphore.Permit? = try await semaphore.acquire()
        var other = permit
        permit = nil
        #expect(semaphore.inUse == 1)
        withExtendedLifetime(other) {}
        other = nil
        #expect(semaphore.inUse == 0)
    }

    @Test("withPermit releases its permit when the body returns or throws")
    func body() async throws {
        struct Failure: Error {}
        let semaphore = AsyncSemaphore(capacity: 1)
        #expect(try await semaphore.withPermit { semaphore.inUse } == 1)
        #expect(semaphore.inUse == 0)
        await #expect(throws: Failure.self) { try await semaphore.withPermit { throw Failure() } }
        #expect(semaphore.inUse == 0)
    }

    @Test("Permits are granted in order of arrival, and small requests do not overtake a large one")
    func order() async throws {
        let semaphore = AsyncSemaphore(capacity: 10)
        let all = try await semaphore.acquire(weight: 10)
        let order = NIOLockedValueBox<[Int]>([])
        var tasks: [Task<AsyncSemaphore.Permit, any Error>] = []
        for (number, weight) in [8, 1, 10, 1].enumerated() {
            tasks.append(try await waiter(for: weight, of: semaphore) { order.withLockedValue { $0.append(number) } })
        }
        all.release()
        let first = try await tasks[0].value
        let second = try await tasks[1].value
        #expect(semaphore.inUse == 9)
        // One would be free for the last, but the third is before it.
        #expect(semaphore.waiterCount == 2)
        #expect(semaphore.tryAcquire() == nil, "it would overtake, too")
        second.release()
        #expect(semaphore.waiterCount == 2)
        first.release()
        let third = try await tasks[2].value
        #expect(semaphore.inUse == 10)
        third.release()
        let last = try await tasks[3].value
        #expect(semaphore.inUse == 1)
        last.release()
        #expect(order.withLockedValue { $0.suffix(2) } == [2, 3])
        #expect(Set(order.withLockedValue { $0.prefix(2) }) == [0, 1])
    }

    // MARK: Cancellation

    @Test("A cancelled task gets no permit, even if one is free")
    func cancelledBefore() async throws {
        let semaphore = AsyncSemaphore(capacity: 1)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await semaphore.acquire()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(semaphore.inUse == 0)
    }

    @Test("A cancelled request lets the requests behind it proceed")
    func cancelledWhileWaiting() async throws {
        let semaphore = AsyncSemaphore(capacity: 10)
        let half = try await semaphore.acquire(weight: 5)
        let large = try await waiter(for: 10, of: semaphore)
        let small = try await waiter(for: 1, of: semaphore)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        let permit = try await small.value
        #expect(semaphore.inUse == 6 && semaphore.waiterCount == 0)
        half.release()
        permit.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("A task that is cancelled after it got a permit keeps it")
    func cancelledAfter() async throws {
        let semaphore = AsyncSemaphore(capacity: 1)
        let first = try await semaphore.acquire()
        let task = try await waiter(for: 1, of: semaphore)
        first.release()
        let permit = try await task.value
        task.cancel()
        #expect(semaphore.inUse == 1)
        permit.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("No permit is lost when many tasks acquire, release and are cancelled at any moment")
    func storm() async throws {
        let semaphore = AsyncSemaphore(capacity: 7)
        let held = NIOLockedValueBox((now: 0, most: 0))
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let task = Task {
                        let permit = try await semaphore.acquire(weight: number % 9)
                        held.withLockedValue { held in
                            held.now += permit.weight
                            held.most = max(held.most, held.now)
                        }
                        await Task.yield()
                        held.withLockedValue { $0.now -= permit.weight }
                        permit.release()
                    }
                    if number % 3 == 0 {
                        for _ in 0..<number % 7 { await Task.yield() }
                        task.cancel()
                    }
                    _ = await task.result
                }
            }
        }
        #expect(semaphore.inUse == 0 && semaphore.waiterCount == 0)
        // The heaviest take all of it.
        #expect(held.withLockedValue { $0.most } == 7)
    }

    // MARK: Limits of waiting

    @Test("A request for a permit fails after its time limit")
    func timeLimit() async throws {
        let semaphore = AsyncSemaphore(capacity: 1)
        let permit = try #require(semaphore.tryAcquire())
        let error = await #expect(throws: AsyncSemaphore.WaitError.self) {
            try await semaphore.acquire(within: .milliseconds(20))
        }
        #expect(error == .timedOut)
        #expect(semaphore.waiterCount == 0)
        let patient = try await waiter(for: 1, of: semaphore)
        permit.release()
        let second = try await patient.value
        #expect(semaphore.inUse == 1)
        second.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("A request that timed out lets the requests behind it proceed")
    func timeLimitOfTheFirst() async throws {
        let semaphore = AsyncSemaphore(capacity: 10)
        let half = try await semaphore.acquire(weight: 5)
        let large = Task { try await semaphore.acquire(weight: 10, within: .milliseconds(50)) }
        try #require(await eventually { semaphore.waiterCount == 1 })
        let small = try await semaphore.acquire(weight: 5)
        await #expect(throws: AsyncSemaphore.WaitError.self) { try await large.value }
        #expect(semaphore.inUse == 10)
        withExtendedLifetime((half, small)) {}
    }

    @Test("Every request with a time limit has a timer as soon as it waits")
    func everyWaiterHasItsLimit() async throws {
        for _ in 0..<200 {
            let semaphore = AsyncSemaphore(capacity: 1)
            let turnedAway = NIOLockedValueBox(0)
            let permits = NIOLockedValueBox<[AsyncSemaphore.Permit]>([])
            let tasks = (0..<8).map { _ in
                Task {
                    do {
                        let permit = try await semaphore.acquire(within: .milliseconds(5))
                        permits.withLockedValue { $0.append(permit) }
                    } catch is AsyncSemaphore.WaitError {
                        turnedAway.withLockedValue { $0 += 1 }
                    }
                }
            }
            let isOver = try await eventually { turnedAway.withLockedValue { $0 } == 7 }
            for task in tasks { task.cancel() }
            try #require(isOver)
            #expect(semaphore.waiterCount == 0 && permits.withLockedValue { $0.count } == 1)
        }
    }

    @Test("A request is refused when the maximum number of tasks already waits")
    func maxWaiters() async throws {
        let semaphore = AsyncSemaphore(capacity: 1, maxWaiters: 1)
        let permit = try await semaphore.acquire()
        let patient = try await waiter(for: 1, of: semaphore)
        let error = await #expect(throws: AsyncSemaphore.WaitError.self) { try await semaphore.acquire() }
        #expect(error == .tooManyWaiters)
        #expect(semaphore.waiterCount == 1)
        permit.release()
        try await patient.value.release()
        #expect(semaphore.inUse == 0)
    }
}
