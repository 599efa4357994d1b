import NIOConcurrencyHelpers

/// The memory that all decodes of the process may take together, handed out in the order of asking.
///
/// A job waits until what it needs is free; a large job at the head of the line is not overtaken by small ones, or it
/// would wait for ever. The line has a bound, and waiting has a deadline.
final class DecodeBudget: Sendable {
    /// A part of the budget; it goes back when the last reference to it goes.
    final class Grant: Sendable {
        private let budget: DecodeBudget
        private let byteCount: Int64

        fileprivate init(_ budget: DecodeBudget, _ byteCount: Int64) {
            self.budget = budget
            self.byteCount = byteCount
        }

        deinit {
            budget.giveBack(byteCount)
        }
    }

    private struct Waiter {
        let id: Int
        let byteCount: Int64
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var free: Int64
        var waiters: [Waiter] = []
        var nextID = 0
        /// Waiters that were cancelled before they stood in line.
        var cancelled: Set<Int> = []
    }

    /// The whole budget in bytes.
    let total: Int64
    private let longestLine: Int
    private let patience: Duration
    private let state: NIOLockedValueBox<State>

    /// Creates a budget.
    ///
    /// - Parameters:
    ///   - total: The bytes there are.
    ///   - longestLine: The most jobs that may wait.
    ///   - patience: How long a job waits before it is turned away.
    init(total: Int64, longestLine: Int, patience: Duration) {
        self.total = total
        self.longestLine = longestLine
        self.patience = patience
        state = NIOLockedValueBox(State(free: total))
    }

    /// The bytes that nobody has now.
    var free: Int64 { state.withLockedValue { $0.free } }

    /// The number of jobs that wait now.
    var waiting: Int { state.withLockedValue { $0.waiters.count } }

    /// Waits for a part of the budget.
    ///
    /// - Parameter byteCount: The bytes needed.
    /// - Returns: The grant; `nil` when the whole budget would not do.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/busy`` when the line is full or the wait too long;
    ///   `CancellationError`.
    func acquire(_ byteCount: Int64) async throws -> Grant? {
        guard byteCount <= total else { return nil }
        let id = state.withLockedValue { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLockedValue { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await standInLine(id, byteCount)
        } onCancel: {
            leave(id, because: CancellationError())
        }
        let grant = Grant(self, byteCount)
        try Task.checkCancellation()
        return grant
    }

    private func standInLine(_ id: Int, _ byteCount: Int64) async throws {
        var timer: Task<Void, Never>?
        defer { timer?.cancel() }
        // The timer is only made for those who really wait.
        if state.withLockedValue({ $0.free < byteCount || !$0.waiters.isEmpty }) {
            timer = Task { [patience] in
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                self.leave(id, because: Self.busy("Images have been waiting too long to be decoded"))
            }
        }
        try await withCheckedThrowingContinuation { continuation in
            let answer: Result<Void, any Error>? = state.withLockedValue { state in
                if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
                if state.waiters.isEmpty, state.free >= byteCount {
                    state.free -= byteCount
                    return .success(())
                }
                guard state.waiters.count < longestLine else {
                    return .failure(Self.busy("Too many images are waiting to be decoded"))
                }
                state.waiters.append(Waiter(id: id, byteCount: byteCount, continuation: continuation))
                return nil
            }
            if let answer { continuation.resume(with: answer) }
        }
    }

    private func leave(_ id: Int, because error: any Error) {
        let (leaver, admitted) = state.withLockedValue { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
                if error is CancellationError { state.cancelled.insert(id) }
                return (nil, [])
            }
            let leaver = state.waiters.remove(at: index)
            // The one who left may have held up those behind.
            return (leaver, Self.admit(&state))
        }
        leaver?.continuation.resume(throwing: error)
        for waiter in admitted { waiter.continuation.resume() }
    }

    private func giveBack(_ byteCount: Int64) {
        let admitted = state.withLockedValue { state in
            state.free += byteCount
            return Self.admit(&state)
        }
        for waiter in admitted { waiter.continuation.resume() }
    }

    private static func admit(_ state: inout State) -> [Waiter] {
        var count = 0
        while count < state.waiters.count, state.waiters[count].byteCount <= state.free {
            state.free -= state.waiters[count].byteCount
            count += 1
        }
        let admitted = Array(state.waiters[..<count])
        state.waiters.removeFirst(count)
        return admitted
    }

    private static func busy(_ what: String) -> ImageError {
        ImageError(.busy, "\(what); try again later, or give the decoder more memory.")
    }
}
