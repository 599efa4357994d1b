import NIOConcurrencyHelpers

/// A resource that all decodes of the process share, such as memory or threads, granted in the order of requests.
///
/// A job waits until as much as it needs is free; a large job at the head of the line is not overtaken by small ones,
/// or it would wait for ever. The line has a bound, and waiting has a deadline.
final class DecodeBudget: Sendable {
    /// A part of the budget; it goes back when the last reference to it goes.
    final class Grant: Sendable {
        private let budget: DecodeBudget
        /// The amount that is granted.
        let amount: Int64

        fileprivate init(_ budget: DecodeBudget, _ amount: Int64) {
            self.budget = budget
            self.amount = amount
        }

        deinit {
            budget.release(amount)
        }
    }

    private struct Waiter {
        let id: Int
        let amount: Int64
        let continuation: CheckedContinuation<Void, any Error>
        /// Turns the waiter away when its patience ends.
        let timer: Task<Void, Never>

        func admit() {
            timer.cancel()
            continuation.resume()
        }
    }

    private struct State {
        var free: Int64
        var waiters: [Waiter] = []
        var nextID = 0
        /// Waiters that were cancelled before they stood in line.
        var cancelled: Set<Int> = []
    }

    /// The whole budget.
    let total: Int64
    private let longestLine: Int
    private let patience: Duration
    private let state: NIOLockedValueBox<State>

    /// Creates a budget.
    ///
    /// - Parameters:
    ///   - total: How much there is.
    ///   - longestLine: The most jobs that may wait.
    ///   - patience: How long a job waits before it is turned away.
    init(total: Int64, longestLine: Int, patience: Duration) {
        self.total = total
        self.longestLine = longestLine
        self.patience = patience
        state = NIOLockedValueBox(State(free: total))
    }

    /// The amount that is not granted to any job.
    var free: Int64 { state.withLockedValue { $0.free } }

    /// The number of jobs that wait now.
    var waiting: Int { state.withLockedValue { $0.waiters.count } }

    /// Waits for a part of the budget.
    ///
    /// - Parameter amount: How much is needed.
    /// - Returns: The grant; `nil` when the whole budget would not do.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/busy`` when the line is full or the wait too long;
    ///   `CancellationError`.
    func acquire(_ amount: Int64) async throws -> Grant? {
        guard amount <= total else { return nil }
        let id = state.withLockedValue { state in
            state.nextID += 1
            return state.nextID
        }
        defer { state.withLockedValue { _ = $0.cancelled.remove(id) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if let answer = standInLine(id, amount, continuation) { continuation.resume(with: answer) }
            }
        } onCancel: {
            leave(id, because: CancellationError())
        }
        let grant = Grant(self, amount)
        try Task.checkCancellation()
        return grant
    }

    /// The answer to a job that need not wait; the others have a place in the line and a deadline from then on.
    private func standInLine(
        _ id: Int,
        _ amount: Int64,
        _ continuation: CheckedContinuation<Void, any Error>
    ) -> Result<Void, any Error>? {
        state.withLockedValue { state in
            if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
            if state.waiters.isEmpty, state.free >= amount {
                state.free -= amount
                return .success(())
            }
            guard state.waiters.count < longestLine else {
                return .failure(Self.busy("Too many images are waiting to be decoded"))
            }
            // Made under the lock: whether somebody waits is decided here, and nobody may wait without a deadline.
            let timer = Task { [patience] in
                guard (try? await Task.sleep(for: patience)) != nil else { return }
                self.leave(id, because: Self.waitedTooLong)
            }
            state.waiters.append(Waiter(id: id, amount: amount, continuation: continuation, timer: timer))
            return nil
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
        leaver?.timer.cancel()
        leaver?.continuation.resume(throwing: error)
        for waiter in admitted { waiter.admit() }
    }

    private func release(_ amount: Int64) {
        let admitted = state.withLockedValue { state in
            state.free += amount
            return Self.admit(&state)
        }
        for waiter in admitted { waiter.admit() }
    }

    private static func admit(_ state: inout State) -> [Waiter] {
        var count = 0
        while count < state.waiters.count, state.waiters[count].amount <= state.free {
            state.free -= state.waiters[count].amount
            count += 1
        }
        let admitted = Array(state.waiters[..<count])
        state.waiters.removeFirst(count)
        return admitted
    }

    /// The error for a job whose deadline has passed.
    static var waitedTooLong: ImageError { busy("Images have been waiting too long to be decoded") }

    private static func busy(_ what: String) -> ImageError {
        ImageError(.busy, "\(what). Try again later, or look at headers only (ImageProber.Mode.headerOnly).")
    }
}
