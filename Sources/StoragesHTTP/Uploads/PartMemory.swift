import NIOConcurrencyHelpers
import NIOCore

/// The memory that the parts of all uploads of a storage may take; taken as the bytes arrive, not before.
///
/// A source that delivers nothing holds nothing. At most ``capacity`` bytes are held at any time, and beside them what
/// every upload has in hand anyway: its share of ``freeShare`` bytes, which nobody waits for, and one chunk of its
/// source. So a file up to the share never waits here, whatever others hold.
///
/// Memory that is reserved in steps can end in a deadlock: all of it in parts that have begun, each of which waits for
/// more. The banker's algorithm rules that out (Dijkstra). A part declares how large it can become, its claim. It gets
/// bytes only when afterwards there is still an order in which all parts that have begun can be filled, one after the
/// other: the first of them from what is free and what comes back from parts that are being sent, each later one also
/// from what those before it give back. Such an order exists in the beginning and is kept by every admission, and what
/// the first part of it asks for keeps it: so at any time there is a part that waits for nobody but its own source and
/// the server. Both have limits, the time limit of sources and the timeouts of requests, after which the part is
/// gone and the next one is the first.
///
/// Nobody starves: a part that holds nothing yet does not overtake one that waits, and those that hold something end.
package final class PartMemory: Sendable {
    /// The number of bytes that each upload may hold without asking: about a chunk of a body.
    package static let freeShare = 256 * 1024

    private struct Part {
        /// The most bytes that the part may come to hold.
        var claim: Int
        var held = 0
    }

    private struct Waiter {
        let id: UInt64
        let part: UInt64
        let count: Int
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        /// The parts that grow.
        var parts: [UInt64: Part] = [:]
        /// The number of bytes that they hold.
        var growing = 0
        /// The number of bytes that parts hold that are whole.
        var whole = 0
        /// An upper bound of the claims of all parts.
        var largestClaim = 0
        var waiters: [Waiter] = []
        var nextID: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    /// The most bytes that are held.
    package let capacity: Int
    private let state = NIOLockedValueBox(State())

    package init(capacity: Int) {
        self.capacity = max(1, capacity)
    }

    /// The number of bytes that are held at the moment.
    package var inUse: Int { state.withLockedValue { $0.growing + $0.whole } }
    /// The number of tasks that wait.
    package var waiting: Int { state.withLockedValue { $0.waiters.count } }

    /// Begins a part, which holds nothing yet.
    ///
    /// - Parameter claim: The most bytes it will take; what is above the capacity counts as all of it.
    package func part(claim: Int) -> PartShare {
        let claim = min(max(0, claim), capacity)
        let id = state.withLockedValue { state in
            state.nextID += 1
            state.parts[state.nextID] = Part(claim: claim)
            state.largestClaim = max(state.largestClaim, claim)
            return state.nextID
        }
        return PartShare(self, id)
    }

    // MARK: Taking

    fileprivate func take(_ count: Int, for part: UInt64, within limit: Duration?) async throws {
        try Task.checkCancellation()
        let waiter: UInt64? = state.withLockedValue { state in
            guard let count = Self.remaining(count, part, state), !admit(count, part, &state) else { return nil }
            state.nextID += 1
            return state.nextID
        }
        guard let waiter else { return }
        let timer = limit.map { limit in
            Task {
                try await Task.sleep(for: limit)
                end(waiter, WaitLimitPassed())
            }
        }
        defer {
            timer?.cancel()
            _ = state.withLockedValue { $0.cancelled.remove(waiter) }
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                wait(waiter, for: count, of: part, continuation)
            }
        } onCancel: {
            end(waiter, CancellationError())
        }
    }

    private func wait(
        _ waiter: UInt64,
        for count: Int,
        of part: UInt64,
        _ continuation: CheckedContinuation<Void, any Error>
    ) {
        let outcome: Result<Void, any Error>? = state.withLockedValue { state in
            if state.cancelled.remove(waiter) != nil { return .failure(CancellationError()) }
            // Since it was looked at, memory may have come back.
            guard let count = Self.remaining(count, part, state), !admit(count, part, &state) else {
                return .success(())
            }
            state.waiters.append(Waiter(id: waiter, part: part, count: count, continuation: continuation))
            return nil
        }
        if let outcome { continuation.resume(with: outcome) }
    }

    /// Returns the number of bytes that count, nothing above the claim; `nil` when none does.
    private static func remaining(_ count: Int, _ part: UInt64, _ state: State) -> Int? {
        guard let part = state.parts[part] else { return nil }
        let counted = min(count, part.claim - part.held)
        return counted > 0 ? counted : nil
    }

    private func end(_ waiter: UInt64, _ error: any Error) {
        let (ended, admitted) = state.withLockedValue { state -> (Waiter?, [Waiter]) in
            guard let index = state.waiters.firstIndex(where: { $0.id == waiter }) else {
                // It may be cancelled before it waits; a timer that is late finds nobody and means nothing.
                if error is CancellationError { state.cancelled.insert(waiter) }
                return (nil, [])
            }
            let ended = state.waiters.remove(at: index)
            return (ended, admitWaiters(&state))
        }
        ended?.continuation.resume(throwing: error)
        admitted.forEach { $0.continuation.resume() }
    }

    // MARK: Giving back

    /// Counts a part as one that does not grow any more; returns the number of bytes that it holds.
    fileprivate func complete(_ part: UInt64) -> Int {
        let (held, admitted) = state.withLockedValue { state in
            let held = state.parts.removeValue(forKey: part)?.held ?? 0
            state.growing -= held
            state.whole += held
            if state.parts.isEmpty { state.largestClaim = 0 }
            return (held, admitWaiters(&state))
        }
        admitted.forEach { $0.continuation.resume() }
        return held
    }

    fileprivate func release(_ count: Int) {
        let admitted = state.withLockedValue { state in
            state.whole -= count
            return admitWaiters(&state)
        }
        admitted.forEach { $0.continuation.resume() }
    }

    // MARK: The rule

    private func admitWaiters(_ state: inout State) -> [Waiter] {
        var admitted: [Waiter] = []
        var left: [Waiter] = []
        for waiter in state.waiters {
            if isInTurn(waiter.part, behind: !left.isEmpty, state), fits(waiter.count, waiter.part, state) {
                grant(waiter.count, waiter.part, &state)
                admitted.append(waiter)
            } else {
                left.append(waiter)
            }
        }
        state.waiters = left
        return admitted
    }

    private func admit(_ count: Int, _ part: UInt64, _ state: inout State) -> Bool {
        guard isInTurn(part, behind: !state.waiters.isEmpty, state), fits(count, part, state) else { return false }
        grant(count, part, &state)
        return true
    }

    private func isInTurn(_ part: UInt64, behind others: Bool, _ state: State) -> Bool {
        !others || state.parts[part].map { $0.held > 0 } ?? true
    }

    private func grant(_ count: Int, _ part: UInt64, _ state: inout State) {
        state.parts[part]?.held += count
        state.growing += count
    }

    /// Returns whether there are so many bytes, and all parts that have begun can still be filled in some order
    /// afterwards.
    private func fits(_ count: Int, _ part: UInt64, _ state: State) -> Bool {
        guard count <= capacity - state.growing - state.whole else { return false }
        var available = capacity - state.growing - count
        if available >= state.largestClaim { return true }
        var parts = state.parts
        parts[part]?.held += count
        let begun = parts.values.filter { $0.held > 0 }
        for next in begun.sorted(by: { $0.claim - $0.held < $1.claim - $1.held }) {
            guard next.claim - next.held <= available else { return false }
            available += next.held
        }
        return true
    }
}

/// The error of a wait that took longer than its limit, because others had what was waited for.
package struct WaitLimitPassed: Error {}

/// The share of a ``PartMemory`` that a part holds, given back when the last reference goes, or before.
package final class PartShare: Sendable {
    private enum State {
        case growing
        case whole(Int)
        case gone
    }

    private let memory: PartMemory
    private let id: UInt64
    private let state = NIOLockedValueBox(State.growing)

    fileprivate init(_ memory: PartMemory, _ id: UInt64) {
        self.memory = memory
        self.id = id
    }

    /// Waits for room for bytes that have arrived.
    ///
    /// - Parameters:
    ///   - count: The number of bytes that have arrived.
    ///   - limit: The longest to wait. `nil`: no limit.
    /// - Throws: ``WaitLimitPassed``; `CancellationError`.
    package func take(_ count: Int, within limit: Duration? = nil) async throws {
        try await memory.take(count, for: id, within: limit)
    }

    /// Marks the part as one that does not grow any more.
    package func complete() {
        state.withLockedValue { state in
            if case .growing = state { state = .whole(memory.complete(id)) }
        }
    }

    package func release() {
        complete()
        state.withLockedValue { state in
            if case .whole(let count) = state { memory.release(count) }
            state = .gone
        }
    }

    deinit {
        release()
    }
}
