import Logging
import NIOConcurrencyHelpers
import Storages

/// Renews the reservations of uploads that are under way: one statement for all of them, every third of the period.
final class UploadLeases: Sendable {
    private struct State {
        var keys: [JournalKey: Int] = [:]
        var heartbeat: Task<Void, Never>?
    }

    private let state = NIOLockedValueBox(State())
    private let link: DatabaseLink
    private let claimPeriod: Duration

    init(link: DatabaseLink, claimPeriod: Duration) {
        self.link = link
        self.claimPeriod = claimPeriod
    }

    /// Runs an upload whose reservation is renewed as long as it lasts.
    func hold<Result>(_ key: JournalKey, during upload: () async throws -> Result) async throws -> Result {
        begin(key)
        defer { end(key) }
        return try await upload()
    }

    private func begin(_ key: JournalKey) {
        state.withLockedValue { state in
            state.keys[key, default: 0] += 1
            guard state.heartbeat == nil else { return }
            // Detached: neither a priority nor a transaction of the first upload is that of the others.
            state.heartbeat = Task.detached { await self.beat() }
        }
    }

    private func end(_ key: JournalKey) {
        let heartbeat = state.withLockedValue { state -> Task<Void, Never>? in
            let count = (state.keys[key] ?? 1) - 1
            state.keys[key] = count > 0 ? count : nil
            guard state.keys.isEmpty else { return nil }
            defer { state.heartbeat = nil }
            return state.heartbeat
        }
        heartbeat?.cancel()
    }

    private func beat() async {
        while !Task.isCancelled {
            do {
                try await Task.sleep(for: claimPeriod / 3)
            } catch {
                return
            }
            let keys = state.withLockedValue { Array($0.keys.keys) }
            guard let database = link.database, !keys.isEmpty else { continue }
            do {
                try await Journal(database: database, isIndependent: true).extend(keys, claimPeriod: claimPeriod)
            } catch {
                // The next beat comes well before the reservations end; a claim that comes too late is refused.
                database.logger.warning(
                    "Reservations of uploads could not be renewed",
                    metadata: ["uploads": "\(keys.count)", "error": "\(error)"]
                )
            }
        }
    }
}
