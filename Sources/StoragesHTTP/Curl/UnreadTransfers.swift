import NIOConcurrencyHelpers
import Platform

/// Responses that nobody reads, and whose connections are taken from them when others wait for one.
///
/// A response that is opened and left alone holds a connection once a mebibyte of it has come, perhaps for ever. Only
/// responses are added whose reader can ask for the rest with another request. While somebody waits for a connection,
/// those that have not been read for ``idleLimit`` are set aside, the longest unread first; while nobody waits, none
/// is.
final class UnreadTransfers: Sendable {
    /// The time for which a response is left alone although others wait: a reader that is only slow is not disturbed
    /// all the time.
    private static let idleLimit = Duration.seconds(1)
    /// The time between two looks while somebody waits.
    private static let interval = Duration.milliseconds(50)

    private struct State {
        var transfers: [ObjectIdentifier: Weak] = [:]
        /// The number of tasks that wait, and whether one looks for them.
        var waiting = 0
        var isLooking = false
    }

    private struct Weak {
        weak var transfer: CurlTransfer?
    }

    private let semaphore: AsyncSemaphore
    private let state = NIOLockedValueBox(State())

    init(_ semaphore: AsyncSemaphore) {
        self.semaphore = semaphore
    }

    /// Allows that a transfer is set aside; it may have been added before.
    func add(_ transfer: CurlTransfer) {
        state.withLockedValue { state in
            // Those that have ended are as many at most as those that have not.
            if state.transfers.count >= 2 * semaphore.capacity { Self.forgetEnded(&state) }
            state.transfers[ObjectIdentifier(transfer)] = Weak(transfer: transfer)
        }
    }

    /// Waits for a connection, and meanwhile takes them from responses that nobody reads.
    func makingRoom<Result: Sendable>(_ wait: () async throws -> Result) async throws -> Result {
        let isFirst = state.withLockedValue { state in
            state.waiting += 1
            defer { state.isLooking = true }
            return !state.isLooking
        }
        defer { state.withLockedValue { $0.waiting -= 1 } }
        if isFirst {
            Task {
                while goesOn() {
                    look()
                    try? await Task.sleep(for: Self.interval)
                }
            }
        }
        return try await wait()
    }

    private func goesOn() -> Bool {
        state.withLockedValue { state in
            state.isLooking = state.waiting > 0
            return state.isLooking
        }
    }

    private func look() {
        let limit = ContinuousClock.now - Self.idleLimit
        let wanted = semaphore.waiterCount
        let transfers = state.withLockedValue { state in
            Self.forgetEnded(&state)
            return state.transfers.values.compactMap(\.transfer)
        }
        let unread = transfers.compactMap { transfer in transfer.unreadSince.map { (transfer, since: $0) } }
            .filter { $0.since <= limit }
            .sorted { $0.since < $1.since }
        for (transfer, _) in unread.prefix(wanted) { transfer.setAside() }
    }

    private static func forgetEnded(_ state: inout State) {
        state.transfers = state.transfers.filter { $0.value.transfer?.hasEnded == false }
    }
}
