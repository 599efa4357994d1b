import Synchronization

/// Numbers from 0, each handed out once.
private final class Counter: Sendable {
    private let next = Atomic(0)

    func take() -> Int {
        next.wrappingAdd(1, ordering: .relaxed).oldValue
    }
}

/// Does `body(i)` for each `i` below the number of operations, from as many tasks at once as asked for.
func fanOut(_ settings: Settings, _ body: @escaping @Sendable (Int) async throws -> Void) async throws {
    guard settings.concurrency > 1 else {
        for index in 0..<settings.n { try await body(index) }
        return
    }
    let counter = Counter()
    let n = settings.n
    try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<settings.concurrency {
            group.addTask {
                while case let index = counter.take(), index < n { try await body(index) }
            }
        }
        try await group.waitForAll()
    }
}
