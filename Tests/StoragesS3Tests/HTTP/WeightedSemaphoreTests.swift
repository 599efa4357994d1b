import NIOConcurrencyHelpers
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("A semaphore with weights", .timeLimit(.minutes(3)))
struct WeightedSemaphoreTests {
    /// Starts a task that enters, and returns when it is in the line.
    private func line(
        _ semaphore: WeightedSemaphore,
        _ weight: Int,
        _ entered: @escaping @Sendable () -> Void = {}
    ) async throws -> Task<Permit, any Error> {
        let before = semaphore.waiting
        let task = Task {
            let permit = try await semaphore.acquire(weight: weight)
            entered()
            return permit
        }
        while semaphore.waiting == before { try await Task.sleep(for: .milliseconds(1)) }
        return task
    }

    @Test("lets so much through, and no more")
    func capacity() async throws {
        let semaphore = WeightedSemaphore(capacity: 10)
        let first = try await semaphore.acquire(weight: 6)
        let second = try await semaphore.acquire(weight: 4)
        #expect(semaphore.inUse == 10)
        let third = try await line(semaphore, 1)
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
        "takes more than all of it for all, and less than nothing for one",
        arguments: [(11, 10), (Int.max, 10), (0, 1), (-3, 1)]
    )
    func bounds(weight: Int, counted: Int) async throws {
        let semaphore = WeightedSemaphore(capacity: 10)
        let permit = try await semaphore.acquire(weight: weight)
        #expect(semaphore.inUse == counted)
        permit.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("gives back what is dropped")
    func drop() async throws {
        let semaphore = WeightedSemaphore(capacity: 1)
        _ = try await semaphore.acquire()
        #expect(semaphore.inUse == 0)
    }

    @Test("lets in by arrival, also those that fit where the first does not")
    func order() async throws {
        let semaphore = WeightedSemaphore(capacity: 10)
        let all = try await semaphore.acquire(weight: 10)
        let order = NIOLockedValueBox<[Int]>([])
        var tasks: [Task<Permit, any Error>] = []
        for (number, weight) in [8, 1, 10, 1].enumerated() {
            tasks.append(try await line(semaphore, weight) { order.withLockedValue { $0.append(number) } })
        }
        all.release()
        let first = try await tasks[0].value
        let second = try await tasks[1].value
        #expect(semaphore.inUse == 9)
        // One would be free for the last, but the third is before it.
        #expect(semaphore.waiting == 2)
        second.release()
        #expect(semaphore.waiting == 2)
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

    @Test("lets those through that waited behind somebody who has gone")
    func cancellation() async throws {
        let semaphore = WeightedSemaphore(capacity: 10)
        let half = try await semaphore.acquire(weight: 5)
        let large = try await line(semaphore, 10)
        let small = try await line(semaphore, 1)
        large.cancel()
        await #expect(throws: CancellationError.self) { try await large.value }
        let permit = try await small.value
        #expect(semaphore.inUse == 6)
        half.release()
        permit.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("lets nobody wait longer than they want to")
    func limit() async throws {
        let semaphore = WeightedSemaphore(capacity: 1)
        let permit = try #require(semaphore.acquireImmediately())
        #expect(semaphore.acquireImmediately() == nil)
        await #expect(throws: WaitLimitPassed.self) { try await semaphore.acquire(within: .milliseconds(20)) }
        #expect(semaphore.waiting == 0)
        let waits = try await line(semaphore, 1)
        permit.release()
        let second = try await waits.value
        #expect(semaphore.inUse == 1)
        second.release()
        #expect(semaphore.inUse == 0)
    }

    @Test("does not let in who is cancelled already, although there is room")
    func cancelledBefore() async throws {
        let semaphore = WeightedSemaphore(capacity: 1)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await semaphore.acquire()
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(semaphore.inUse == 0)
    }

    @Test("loses nothing when many come and go and are cancelled")
    func storm() async throws {
        let semaphore = WeightedSemaphore(capacity: 7)
        let most = NIOLockedValueBox(0)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    let task = Task {
                        let permit = try await semaphore.acquire(weight: number % 9)
                        let inUse = semaphore.inUse
                        most.withLockedValue { $0 = max($0, inUse) }
                        await Task.yield()
                        permit.release()
                    }
                    if number % 3 == 0 { task.cancel() }
                    _ = await task.result
                }
            }
        }
        #expect(semaphore.inUse == 0)
        #expect(semaphore.waiting == 0)
        // The heaviest take all of it.
        #expect(most.withLockedValue { $0 } == 7)
    }
}
