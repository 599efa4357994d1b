package import Foundation
package import Logging
import NIOConcurrencyHelpers
import Platform
import Storages

/// Keeps a set of credentials, and has it replaced in time.
///
/// However many tasks ask, the provider is called once at a time, and each gets a whole set: one that nothing changes
/// later. 15 minutes before a set expires, another is fetched in the background; 10 minutes before, tasks that ask wait
/// for it. When that fails, the old set stays, even beyond its end while the provider cannot be reached: the
/// service decides whether it still works.
package final class CredentialCache<Credentials: ExpiringCredentials>: Sendable, SecretHolding {
    private struct Snapshot {
        var set: Credentials
        var lifetime: CredentialLifetime
        var fetched: Date
        /// A Boolean value that indicates whether the provider gave the set that there was already.
        var isUnchanged: Bool
    }

    /// The outcome of a call of the provider.
    private enum Outcome {
        case fetched(Credentials)
        /// The error, and the set there was already when that stays in use.
        case failed(any Error, kept: Credentials?)
        /// The provider was not called: the task that began the call had what it wanted by then.
        case unneeded
    }

    private enum Subject: Hashable {
        case credentials
    }

    private struct State {
        var snapshot: Snapshot?
        /// The time at which the provider may be called again after it failed.
        var resumption: Date?
        /// A Boolean value that indicates whether a task refreshes the set in the background.
        var isRefreshing = false

        /// Returns the set when the provider need not be called for one yet.
        func set(at now: Date, before limit: KeyPath<CredentialLifetime, Date>) -> Credentials? {
            guard let snapshot else { return nil }
            return now < snapshot.lifetime[keyPath: limit] || CredentialCache.isResting(self, now) ? snapshot.set : nil
        }
    }

    /// The time for which a failed provider is left alone while there is a set to use, in seconds.
    private static var rest: ClosedRange<TimeInterval> { 60...90 }
    /// The time after a call in which another could bring nothing new, in seconds.
    private static var freshness: TimeInterval { 10 }

    private let service: String
    private let fetch: @Sendable () async throws -> Credentials?
    private let logger: Logger
    private let now: @Sendable () -> Date
    private let jitter: CredentialLifetime.Jitter
    private let state = NIOLockedValueBox(State())
    // Without task-local values: a call serves others than the task that happened to be first.
    private let calls = SingleFlight<Subject, Outcome>(inheritsTaskLocals: false)

    /// Creates a cache that has nothing yet.
    ///
    /// - Parameters:
    ///   - service: The name of the service that the credentials are for, for messages.
    ///   - logger: The logger of refreshes that failed.
    ///   - now: The clock. Default: the system's.
    ///   - jitter: A function that draws a number from a range. Default: at random.
    ///   - fetch: The provider: fetches a set anew, or returns `nil` when it is not configured.
    package init(
        for service: String,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        jitter: @escaping CredentialLifetime.Jitter = { .random(in: $0) },
        _ fetch: @escaping @Sendable () async throws -> Credentials?
    ) {
        self.service = service
        self.fetch = fetch
        self.logger = logger
        self.now = now
        self.jitter = jitter
    }

    /// Returns credentials to sign a request with, to be asked for again for each attempt.
    ///
    /// - Throws: The error of the provider, when there is no set to go on with; ``StorageError`` with code
    ///   `invalidConfiguration` when the provider has none; `CancellationError`.
    package func credentials() async throws -> Credentials {
        let now = now()
        let (known, isDue) = state.withLockedValue { state -> (Credentials?, Bool) in
            if let set = state.set(at: now, before: \.advisory) { return (set, false) }
            guard let set = state.set(at: now, before: \.mandatory) else { return (nil, false) }
            defer { state.isRefreshing = true }
            return (set, !state.isRefreshing)
        }
        if isDue { refreshInBackground() }
        if let known { return known }
        return try await join(needsNew: false) { $0.set(at: now, before: \.mandatory) }
    }

    /// Returns another set, after the service said that one has expired.
    ///
    /// However many ask about the same set, one refresh is made for all.
    ///
    /// - Parameter old: The set that was refused.
    /// - Returns: The set there is, when it is another; else what the provider gives now, which may be the same again.
    /// - Throws: As ``credentials()``, also when there is an old set.
    package func refresh(replacing old: Credentials) async throws -> Credentials {
        try await join(needsNew: true) { [now] state in
            guard let snapshot = state.snapshot else { return nil }
            if snapshot.set != old { return snapshot.set }
            // The provider had nothing newer a moment ago: many who ask one after another get that result, not a call
            // each.
            let age = now().timeIntervalSince(snapshot.fetched)
            return snapshot.isUnchanged && (0..<Self.freshness).contains(age) ? snapshot.set : nil
        }
    }

    // MARK: Calls

    /// The number of tasks that wait for the provider now; for tests, which have to know when all of them do.
    package var waiterCount: Int { calls.waiterCount(for: .credentials) }

    /// Waits for the call that is under way, or a new one, unless `known` finds a set.
    private func join(
        needsNew: Bool,
        known: @escaping @Sendable (State) -> Credentials?
    ) async throws -> Credentials {
        while true {
            if let set = state.withLockedValue({ known($0) }) { return set }
            switch try await outcome(unless: known) {
            case .fetched(let set): return set
            case .failed(_, let kept?) where !needsNew: return kept
            case .failed(let error, _): throw error
            case .unneeded: continue
            }
        }
    }

    private func refreshInBackground() {
        Task.detached { [self] in
            let isFresh = { @Sendable [now] (state: State) in state.set(at: now(), before: \.advisory) }
            // The first may be a call that was just ending, and began before the set was due.
            for _ in 1...2 {
                let isDue = state.withLockedValue { state in
                    state.isRefreshing = isFresh(state) == nil
                    return state.isRefreshing
                }
                guard isDue else { return }
                _ = try? await outcome(unless: isFresh)
            }
            state.withLockedValue { $0.isRefreshing = false }
        }
    }

    /// Waits for the call that is under way, or a new one, in which the provider is not called if `known` finds a set.
    private func outcome(unless known: @escaping @Sendable (State) -> Credentials?) async throws -> Outcome {
        try await calls.value(for: .credentials) { [self] in
            guard state.withLockedValue({ known($0) }) == nil else { return .unneeded }
            let result: Result<Credentials, any Error>
            do {
                guard let set = try await fetch() else {
                    throw StorageError(
                        .invalidConfiguration,
                        "The provider of credentials has none; configure it, or use another."
                    )
                }
                result = .success(set)
            } catch {
                result = .failure(error)
            }
            // One that was given up brings nothing.
            try Task.checkCancellation()
            return land(result)
        }
    }

    private func land(_ result: Result<Credentials, any Error>) -> Outcome {
        let now = now()
        let outcome = state.withLockedValue { state -> Outcome in
            let old = state.snapshot?.set
            switch result {
            case .success(let set):
                let lifetime = CredentialLifetime(of: set, replacing: old, at: now, jitter: jitter)
                state.snapshot = Snapshot(set: set, lifetime: lifetime, fetched: now, isUnchanged: set == old)
                state.resumption = nil
                return .fetched(set)
            case .failure(let error):
                guard let old, Self.isUsable(old, after: error, at: now) else { return .failed(error, kept: nil) }
                state.resumption = now.addingTimeInterval(jitter(Self.rest))
                return .failed(error, kept: old)
            }
        }
        if case .failed(let error, let kept?) = outcome { report(error, keeping: kept, at: now) }
        return outcome
    }

    /// Returns whether the provider failed a moment ago and is not to be called yet; a clock that was set back ends the
    /// rest.
    private static func isResting(_ state: State, _ now: Date) -> Bool {
        guard let resumption = state.resumption else { return false }
        return now < resumption && resumption.timeIntervalSince(now) <= rest.upperBound
    }

    /// Returns whether a set is used on after the provider failed: until its end, and beyond that unless the provider
    /// refused.
    private static func isUsable(_ set: Credentials, after error: any Error, at now: Date) -> Bool {
        guard let expiration = set.expiration, now >= expiration else { return true }
        guard let error = error as? StorageError else { return true }
        return error.code != .permissionDenied && error.code != .invalidConfiguration
    }

    private func report(_ error: any Error, keeping set: Credentials, at now: Date) {
        // The expiry of an application's provider may be no number of seconds that there is.
        let seconds = set.expiration.flatMap { Int(exactly: $0.timeIntervalSince(now).rounded()) }
        let left = seconds.map { "\($0) s" } ?? "no end"
        // What providers of applications throw may hold anything; of those errors only the type is known to be
        // harmless.
        let cause = (error as? StorageError)?.description ?? (error as? HTTPFailure)?.message ?? "\(type(of: error))"
        logger.warning(
            "Refreshing the credentials for \(service) failed; the old ones stay in use.",
            metadata: ["error": "\(cause)", "left": "\(left)"]
        )
    }
}
