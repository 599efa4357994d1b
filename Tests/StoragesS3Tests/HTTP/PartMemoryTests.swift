import NIOConcurrencyHelpers
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("The memory for parts", .timeLimit(.minutes(3)))
struct PartMemoryTests {
    /// Starts a task that takes, and returns when it waits.
    private func line(_ memory: PartMemory, _ share: PartShare, _ count: Int) async throws -> Task<Void, any Error> {
        let before = memory.waiting
        let task = Task { try await share.take(count) }
        try await waitUntil { memory.waiting != before }
        return task
    }

    @Test("Memory for parts is held by bytes that have arrived, not by parts that have begun")
    func bytes() async throws {
        let memory = PartMemory(capacity: 100)
        let silent = (0..<50).map { _ in memory.part(claim: 100) }
        #expect(memory.inUse == 0)
        let other = memory.part(claim: 100)
        try await other.take(60)
        try await other.take(40)
        #expect(memory.inUse == 100)
        other.complete()
        #expect(memory.inUse == 100, "until it is sent")
        other.release()
        other.release()
        #expect(memory.inUse == 0)
        silent.forEach { $0.release() }
        #expect(memory.inUse == 0)
    }

    @Test("A part that is larger than the memory for parts counts as all of it")
    func oversized() async throws {
        let memory = PartMemory(capacity: 100)
        let part = memory.part(claim: 1000)
        for _ in 0..<10 { try await part.take(100) }
        #expect(memory.inUse == 100)
        let next = memory.part(claim: 10)
        let waits = try await line(memory, next, 1)
        part.complete()
        part.release()
        try await waits.value
        #expect(memory.inUse == 1)
        next.release()
        #expect(memory.inUse == 0)
    }

    @Test("The memory of a part that is dropped is released")
    func drop() async throws {
        let memory = PartMemory(capacity: 100)
        try await memory.part(claim: 50).take(20)
        #expect(memory.inUse == 0)
    }

    @Test("Memory for parts is not granted if no part could be filled afterwards")
    func safety() async throws {
        let memory = PartMemory(capacity: 100)
        let first = memory.part(claim: 60)
        let second = memory.part(claim: 60)
        try await first.take(40)
        try await second.take(40)
        // There are 20 left, which the first needs, or the second.
        let newcomer = memory.part(claim: 60)
        let waits = try await line(memory, newcomer, 10)
        try await second.take(20)
        second.complete()
        let goesOn = try await line(memory, first, 10)
        second.release()
        try await goesOn.value
        try await waits.value
        #expect(memory.inUse == 60)
        for part in [first, newcomer] { part.release() }
        #expect(memory.inUse == 0)
    }

    @Test("A part that waits for memory is not overtaken by later ones")
    func order() async throws {
        let memory = PartMemory(capacity: 100)
        let whole = memory.part(claim: 90)
        try await whole.take(90)
        whole.complete()
        let large = memory.part(claim: 80)
        let first = try await line(memory, large, 20)
        let small = memory.part(claim: 10)
        // There would be room for it.
        let second = try await line(memory, small, 10)
        whole.release()
        try await first.value
        try await second.value
        #expect(memory.inUse == 30)
        for part in [large, small] { part.release() }
        #expect(memory.inUse == 0)
    }

    @Test("A waiting part that is cancelled or times out does not block the parts behind it")
    func leaving() async throws {
        let memory = PartMemory(capacity: 100)
        let whole = memory.part(claim: 90)
        try await whole.take(90)
        whole.complete()
        let cancelled = try await line(memory, memory.part(claim: 80), 20)
        let small = memory.part(claim: 5)
        let waits = try await line(memory, small, 5)
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        try await waits.value
        await #expect(throws: WaitLimitPassed.self) {
            try await memory.part(claim: 80).take(20, within: .milliseconds(20))
        }
        #expect(memory.waiting == 0)
        #expect(memory.inUse == 95)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await memory.part(claim: 1).take(1)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        for part in [whole, small] { part.release() }
        #expect(memory.inUse == 0)
    }

    @Test("Every part gets its memory in the end, and the parts never exceed the capacity")
    func storm() async throws {
        let memory = PartMemory(capacity: 1000)
        let most = NIOLockedValueBox(0)
        let filled = Counter()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let task = Task {
                        for size in [100 + number % 200, 40, 900] {
                            let share = memory.part(claim: size)
                            var left = size
                            while left > 0 {
                                let count = min(left, Int.random(in: 1...30))
                                try await share.take(count)
                                left -= count
                                let inUse = memory.inUse
                                most.withLockedValue { $0 = max($0, inUse) }
                                if number % 2 == 0 { await Task.yield() }
                            }
                            share.complete()
                            await Task.yield()
                            share.release()
                        }
                        filled.next()
                    }
                    if number % 7 == 0 {
                        await Task.yield()
                        task.cancel()
                    }
                    _ = await task.result
                }
            }
        }
        #expect(filled.value >= 300 - 43)
        #expect(memory.inUse == 0)
        #expect(memory.waiting == 0)
        #expect(most.withLockedValue { $0 } <= 1000)
        #expect(most.withLockedValue { $0 } > 900)
    }
}
