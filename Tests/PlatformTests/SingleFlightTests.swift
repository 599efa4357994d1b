import NIOConcurrencyHelpers
import Platform
import TestSupport
import Testing

/// A call that goes on until the test gives its result.
private final class GatedCall: Sendable {
    private struct State {
        var count = 0
        var cancelled = 0
        var waiting: [CheckedContinuation<Int, any Error>] = []
    }

    private let state = NIOLockedValueBox(State())

    var count: Int { state.withLockedValue { $0.count } }
    var cancelled: Int { state.withLockedValue { $0.cancelled } }

    /// Returns the result, whether or not it is cancelled.
    @Sendable func call() async throws -> Int {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLockedValue { state in
                    state.count += 1
                    state.waiting.append(continuation)
                }
            }
        } onCancel: {
            state.withLockedValue { $0.cancelled += 1 }
        }
    }

    /// Waits for a call, and ends it.
    func finish(_ result: Result<Int, any Error>) async throws {
        try #require(await eventually { state.withLockedValue { !$0.waiting.isEmpty } })
        state.withLockedValue { $0.waiting.removeFirst() }.resume(with: result)
    }
}

private struct Failure: Error {}

private enum Local {
    @TaskLocal static var value = "none"
}

@Suite("Calls shared by several tasks", .timeLimit(.minutes(3)))
struct SingleFlightTests {
    private let flights = SingleFlight<String, Int>(inheritsTaskLocals: true)
    private let gate = GatedCall()

    private func ask(_ key: String = "a") -> Task<Int, any Error> {
        Task { [flights, gate] in try await flights.value(for: key, gate.call) }
    }

    /// Starts tasks that ask, and returns when all of them wait.
    private func asking(_ count: Int) async throws -> [Task<Int, any Error>] {
        let before = flights.waiterCount(for: "a")
        let tasks = (0..<count).map { _ in ask() }
        try #require(await eventually { flights.waiterCount(for: "a") == before + count })
        return tasks
    }

    @Test("A hundred tasks share one call, and the next task makes a new one")
    func once() async throws {
        let tasks = try await asking(100)
        try await gate.finish(.success(1))
        for task in tasks { #expect(try await task.value == 1) }
        #expect(gate.count == 1)
        #expect(flights.callCount == 0)
        let next = ask()
        try await gate.finish(.success(2))
        #expect(try await next.value == 2)
        #expect(gate.count == 2)
    }

    @Test("Each key has a call of its own")
    func keys() async throws {
        let first = ask("a")
        try #require(await eventually { gate.count == 1 })
        let second = ask("b")
        try #require(await eventually { gate.count == 2 })
        #expect(flights.callCount == 2)
        try await gate.finish(.success(1))
        try await gate.finish(.success(2))
        #expect(try await first.value == 1)
        #expect(try await second.value == 2)
    }

    @Test("All tasks that share a call get its error")
    func failure() async throws {
        let tasks = try await asking(10)
        try await gate.finish(.failure(Failure()))
        for task in tasks { await #expect(throws: Failure.self) { try await task.value } }
        #expect(gate.count == 1 && flights.callCount == 0)
    }

    @Test("A shared call continues when the task that began it is cancelled")
    func cancelledBeginner() async throws {
        let first = try await asking(1)[0]
        let others = try await asking(2)
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        others[0].cancel()
        await #expect(throws: CancellationError.self) { try await others[0].value }
        #expect(gate.cancelled == 0)
        try await gate.finish(.success(1))
        #expect(try await others[1].value == 1)
        #expect(gate.count == 1)
    }

    @Test("A shared call is cancelled with its last task, and the next call begins after it has ended")
    func abandoned() async throws {
        let tasks = try await asking(2)
        // A call that was not begun yet when it is cancelled never is.
        #expect(try await eventually { gate.count == 1 })
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(gate.cancelled == 1)
        #expect(flights.callCount == 1, "it has not ended")
        let next = try await asking(1)[0]
        for _ in 0..<100 { await Task.yield() }
        #expect(gate.count == 1)
        // The call that was given up brings nothing, although it succeeds.
        try await gate.finish(.success(1))
        try await gate.finish(.success(2))
        #expect(try await next.value == 2)
        #expect(gate.count == 2 && gate.cancelled == 1)
        #expect(try await eventually { flights.callCount == 0 })
    }

    @Test("A cancelled task begins no shared call")
    func cancelledBefore() async throws {
        let task = Task { [flights, gate] in
            withUnsafeCurrentTask { $0?.cancel() }
            return try await flights.value(for: "a", gate.call)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(gate.count == 0 && flights.callCount == 0)
    }

    @Test("No task waits forever when many share calls and are cancelled at any moment")
    func storm() async throws {
        let running = NIOLockedValueBox((now: 0, most: 0))
        let values = try await (0..<500).mapConcurrently(limit: 500) { [flights] number in
            let task = Task {
                try await flights.value(for: "\(number % 3)") {
                    running.withLockedValue { running in
                        running.now += 1
                        running.most = max(running.most, running.now)
                    }
                    defer { running.withLockedValue { $0.now -= 1 } }
                    for _ in 0..<3 { await Task.yield() }
                    return number % 3
                }
            }
            if number % 4 == 0 { task.cancel() }
            return (number, await task.result)
        }
        for (number, result) in values {
            switch result {
            case .success(let value): #expect(value == number % 3)
            case .failure(let error): #expect(error is CancellationError && number % 4 == 0)
            }
        }
        #expect(running.withLockedValue { $0.most } <= 3, "calls for one key overlapped")
        #expect(try await eventually { flights.callCount == 0 })
    }

    // MARK: What follows

    /// Starts a task that asks, and whose call is followed by `work`.
    private func ask(followedBy work: @escaping @Sendable (Int) async -> Void) -> Task<Int, any Error> {
        Task { [flights, gate] in try await flights.value(for: "a", gate.call, followUp: work) }
    }

    /// Returns an answer of the gate as work that follows.
    private func following(_ gate: GatedCall) -> @Sendable (Int) async -> Void {
        { _ in _ = try? await gate.call() }
    }

    @Test("Only the task that began a shared call waits for the work that follows it")
    func followUp() async throws {
        let work = GatedCall()
        let isFirstDone = NIOLockedValueBox(false)
        let first = Task { [flights, gate] in
            let value = try await flights.value(for: "a", gate.call, followUp: following(work))
            isFirstDone.withLockedValue { $0 = true }
            return value
        }
        try #require(await eventually { flights.waiterCount(for: "a") == 1 })
        let second = try await asking(1)[0]
        try await gate.finish(.success(1))
        #expect(try await second.value == 1)
        #expect(try await ask().value == 1, "also who asks meanwhile")
        #expect(gate.count == 1)
        #expect(!isFirstDone.withLockedValue { $0 })
        try await work.finish(.success(0))
        #expect(try await first.value == 1)
        #expect(try await eventually { flights.callCount == 0 })
    }

    @Test("The work that follows a shared call continues when the task that waits for it is cancelled")
    func cancelledFollowUp() async throws {
        let work = GatedCall()
        let first = ask(followedBy: following(work))
        try await gate.finish(.success(1))
        try #require(await eventually { work.count == 1 })
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        #expect(try await ask().value == 1)
        try await work.finish(.success(0))
        #expect(try await eventually { flights.callCount == 0 })
        #expect(work.cancelled == 0 && gate.cancelled == 0 && gate.count == 1)
    }

    @Test("No task waits for the work that follows an abandoned shared call")
    func followUpOfAbandoned() async throws {
        let work = GatedCall()
        let first = ask(followedBy: following(work))
        try #require(await eventually { gate.count == 1 })
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        try await gate.finish(.success(1))
        try #require(await eventually { work.count == 1 })
        let next = ask()
        try await gate.finish(.success(2))
        #expect(try await next.value == 2)
        try await work.finish(.success(0))
    }

    @Test("A shared call has the task-local values of its first task only on request", arguments: [true, false])
    func taskLocals(inherits: Bool) async throws {
        let flights = SingleFlight<Int, String>(inheritsTaskLocals: inherits)
        let followed = NIOLockedValueBox("")
        let value = try await Local.$value.withValue("beginner") {
            try await flights.value(for: 1) {
                Local.value
            } followUp: { _ in
                followed.withLockedValue { $0 = Local.value }
            }
        }
        let expected = inherits ? "beginner" : "none"
        #expect(value == expected && followed.withLockedValue { $0 } == expected)
    }
}
