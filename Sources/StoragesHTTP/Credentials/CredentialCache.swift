package import Foundation
package import Logging
import NIOConcurrencyHelpers
import Storages

/// Keeps a set of credentials, and has it replaced in time.
///
/// However many tasks ask, the provider is called once at a time, and each gets a whole set: one that nothing changes
/// later. 15 minutes before a set expires, another is fetched in the background; 10 minutes before, whoever asks waits
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

    private struct Waiter {
        var continuation: CheckedContinuation<Credentials, any Error>
        /// A Boolean value that indicates whether the old set will not do, since the service refused it.
        var needsNew: Bool
    }

    /// A call of the provider.
    private struct Flight {
        var number: UInt64
        var task: Task<Void, Never>
        var waiters: [UInt64: Waiter] = [:]
        /// A Boolean value that indicates whether the call goes on although nobody waits.
        var isBackground: Bool
    }

    private struct State {
        var snapshot: Snapshot?
        var flight: Flight?
        /// The newest call, which may have been given up and still be ending; the next one begins after it.
        var newest: Task<Void, Never>?
        /// The time at which the provider may be called again after it failed.
        var resumption: Date?
        var lastNumber: UInt64 = 0

        mutating func nextNumber() -> UInt64 {
            lastNumber += 1
            return lastNumber
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
        let known: Credentials? = state.withLockedValue { state in
            guard let snapshot = state.snapshot else { return nil }
            if now < snapshot.lifetime.advisory || Self.isResting(state, now) { return snapshot.set }
            guard now < snapshot.lifetime.mandatory else { return nil }
            if state.flight == nil { startFlight(&state, isBackground: true) }
            return snapshot.set
        }
        if let known { return known }
        return try await join(needsNew: false) { state in
            // Another may have come between the two looks.
            guard let snapshot = state.snapshot else { return nil }
            return now < snapshot.lifetime.mandatory || Self.isResting(state, now) ? snapshot.set : nil
        }
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

    // MARK: Waiting

    /// The number of tasks that wait for the provider now; for tests, which have to know when all of them do.
    package var waiterCount: Int { state.withLockedValue { $0.flight?.waiters.count ?? 0 } }

    /// Waits for the call that is under way, or a new one, unless `known` finds a set.
    private func join(
        needsNew: Bool,
        known: @escaping @Sendable (State) -> Credentials?
    ) async throws -> Credentials {
        let number = state.withLockedValue { $0.nextNumber() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome: Result<Credentials, any Error>? = state.withLockedValue { state in
                    // Under the lock: a cancellation from now on finds the waiter.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if let set = known(state) { return .success(set) }
                    if state.flight == nil { startFlight(&state, isBackground: false) }
                    state.flight?.waiters[number] = Waiter(continuation: continuation, needsNew: needsNew)
                    return nil
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            leave(number)
        }
    }

    /// Ends the wait of one task; the last of them cancels the call.
    private func leave(_ number: UInt64) {
        let (waiter, abandoned) = state.withLockedValue { state -> (Waiter?, Task<Void, Never>?) in
            guard let waiter = state.flight?.waiters.removeValue(forKey: number) else { return (nil, nil) }
            guard let flight = state.flight, flight.waiters.isEmpty, !flight.isBackground else { return (waiter, nil) }
            state.flight = nil
            return (waiter, flight.task)
        }
        abandoned?.cancel()
        waiter?.continuation.resume(throwing: CancellationError())
    }

    // MARK: Flights

    private func startFlight(_ state: inout State, isBackground: Bool) {
        let number = state.nextNumber()
        let previous = state.newest
        // Detached: it serves others than the task that happened to be first, and outlives it.
        let task = Task.detached { [self] in
            await previous?.value
            let result: Result<Credentials, any Error>
            do {
                try Task.checkCancellation()
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
            land(number, with: result)
        }
        state.newest = task
        state.flight = Flight(number: number, task: task, isBackground: isBackground)
    }

    private func land(_ number: UInt64, with result: Result<Credentials, any Error>) {
        let now = now()
        let landing = state.withLockedValue { state -> (waiters: [Waiter], kept: Credentials?)? in
            // One that was given up brings nothing.
            guard let flight = state.flight, flight.number == number else { return nil }
            state.flight = nil
            state.newest = nil
            switch result {
            case .success(let set):
                let old = state.snapshot?.set
                let lifetime = CredentialLifetime(of: set, replacing: old, at: now, jitter: jitter)
                state.snapshot = Snapshot(set: set, lifetime: lifetime, fetched: now, isUnchanged: set == old)
                state.resumption = nil
                return (Array(flight.waiters.values), nil)
            case .failure(let error):
                let kept = state.snapshot?.set
                guard let kept, Self.isUsable(kept, after: error, at: now) else {
                    return (Array(flight.waiters.values), nil)
                }
                state.resumption = now.addingTimeInterval(jitter(Self.rest))
                return (Array(flight.waiters.values), kept)
            }
        }
        guard let landing else { return }
        if case .failure(let error) = result, let kept = landing.kept { report(error, keeping: kept, at: now) }
        for waiter in landing.waiters {
            if let kept = landing.kept, !waiter.needsNew {
                waiter.continuation.resume(returning: kept)
            } else {
                waiter.continuation.resume(with: result)
            }
        }
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
