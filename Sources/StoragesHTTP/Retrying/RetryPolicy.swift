import NIOConcurrencyHelpers

/// The number and the timing of the attempts of a request, and the loop that makes them.
///
/// A client runs its requests with ``run(isIdempotent:tokens:pause:judge:_:)`` and decides about each failure with a
/// ``RetryVerdict``: it looks at what only it knows, such as the error codes of its service, and leaves the rest to the
/// verdicts about transfers and status codes.
package struct RetryPolicy: Hashable, Sendable {
    /// The most attempts, the first included.
    package var maxAttempts: Int
    /// The time after which no attempt begins; `nil` for no limit.
    package var budget: Duration?
    /// The longest wait before the second attempt; it doubles with each further attempt.
    package var baseDelay: Duration
    /// The longest wait before the second attempt, when the server said that it is overloaded.
    package var throttledBaseDelay: Duration
    /// The longest wait, also when the server asks for a longer one.
    package var maxDelay: Duration
    /// A Boolean value that indicates whether waits are drawn at random between zero and the longest, so that clients
    /// that failed together do not come back together.
    package var isRandom = true

    package init(
        maxAttempts: Int,
        budget: Duration? = nil,
        baseDelay: Duration,
        throttledBaseDelay: Duration,
        maxDelay: Duration
    ) {
        self.maxAttempts = maxAttempts
        self.budget = budget
        self.baseDelay = baseDelay
        self.throttledBaseDelay = throttledBaseDelay
        self.maxDelay = maxDelay
    }

    /// Creates a policy that waits for the same time before each further attempt.
    package init(maxAttempts: Int, every interval: Duration) {
        self.init(
            maxAttempts: maxAttempts,
            baseDelay: interval,
            throttledBaseDelay: interval,
            maxDelay: interval
        )
        isRandom = false
    }

    /// Returns the same delays with another number of attempts and no budget, for steps that are no requests.
    package func withDelays(maxAttempts: Int) -> RetryPolicy {
        var policy = self
        policy.maxAttempts = maxAttempts
        policy.budget = nil
        return policy
    }

    /// Returns the time to wait before a retry.
    ///
    /// - Parameters:
    ///   - retry: The number of the retry, from 1.
    ///   - isThrottled: Whether the server is overloaded.
    ///   - asked: The wait that the server asked for.
    package func delay(before retry: Int, isThrottled: Bool, asked: Duration?) -> Duration {
        let base = isThrottled ? throttledBaseDelay : baseDelay
        let ceiling = min(maxDelay, base * (1 << min(retry - 1, 20)))
        let drawn = isRandom ? ceiling * Double.random(in: 0...1) : ceiling
        guard let asked else { return drawn }
        return min(maxDelay, max(drawn, asked))
    }

    // MARK: The loop

    /// Sends a request until it succeeds, or a failure is final.
    ///
    /// - Parameters:
    ///   - isIdempotent: Whether the request may be carried out twice. One that may not is not sent again after an
    ///     ``AmbiguousFailure``. Default: it may.
    ///   - tokens: The tokens that retries cost. Default: none are needed.
    ///   - pause: Waits for a time before the attempt with a number. Default: sleeps.
    ///   - judge: Decides about a failure. It may correct the reason of the failure first and have the request sent
    ///     again at once, and must do so a limited number of times only.
    ///   - send: Makes one attempt; the request is built anew for each.
    /// - Throws: The error of the last attempt, as it was thrown; an error of `judge`; `CancellationError`.
    @inlinable
    package func run<Response>(
        isIdempotent: Bool = true,
        tokens: RetryTokens? = nil,
        pause: (_ attempt: Int, _ delay: Duration) async throws -> Void = { try await Task.sleep(for: $1) },
        judge: (_ failure: any Error, _ attempts: RetryAttempts) async throws -> RetryVerdict,
        _ send: (_ attempts: inout RetryAttempts) async throws -> Response
    ) async throws -> Response {
        var attempts = RetryAttempts(self, tokens: tokens)
        while true {
            try Task.checkCancellation()
            attempts.begin()
            do {
                let response = try await send(&attempts)
                attempts.succeed()
                return response
            } catch {
                if !isIdempotent, let failure = error as? any AmbiguousFailure, failure.isAmbiguous { throw error }
                let verdict = try await judge(error, attempts)
                guard try await attempts.wait(after: verdict, pause: pause) else { throw error }
            }
        }
    }
}

/// A failure that may have come after the request was carried out.
package protocol AmbiguousFailure: Error {
    /// A Boolean value that indicates whether the request may have been carried out although no response says so.
    var isAmbiguous: Bool { get }
}

extension HTTPFailure: AmbiguousFailure {
    package var isAmbiguous: Bool { !isUnsent }
}

/// The attempts of one request so far, and whether there is another.
package struct RetryAttempts: Sendable {
    private let policy: RetryPolicy
    private let tokens: RetryTokens?
    private let start = ContinuousClock.now
    /// The number of attempts that count: those that were made at once, for reasons that were corrected, do not.
    private var counted = 1
    private var spent = 0
    private var hasReconnected = false

    /// The number of times that the request was sent.
    package private(set) var sent = 0
    /// A Boolean value that indicates whether this attempt has to make a new connection.
    package private(set) var usesFreshConnection = false
    /// A Boolean value that indicates whether the request goes without `Expect: 100-continue`, which was refused.
    package var expectsNothing = false

    /// Begins to count attempts, and the time for them.
    package init(_ policy: RetryPolicy, tokens: RetryTokens? = nil) {
        self.policy = policy
        self.tokens = tokens
    }

    /// Begins an attempt.
    package mutating func begin() {
        sent += 1
    }

    /// Gives back the tokens after a success.
    package func succeed() {
        tokens?.reward(spent)
    }

    /// Forgets the failures after progress that is worth it.
    package mutating func restart() {
        counted = 1
    }

    /// Waits for the time of the next attempt, if there is to be one.
    ///
    /// - Parameters:
    ///   - verdict: The decision about the failure.
    ///   - pause: Waits for a time before the attempt with a number. Default: sleeps.
    /// - Returns: `false` when the failure is final, because of the verdict, the policy or the tokens.
    package mutating func wait(
        after verdict: RetryVerdict,
        pause: (_ attempt: Int, _ delay: Duration) async throws -> Void = { try await Task.sleep(for: $1) }
    ) async throws -> Bool {
        usesFreshConnection = false
        switch verdict {
        case .fail, .refreshCredentials:
            return false
        case .retryAtOnce:
            return true
        case .reconnect where !hasReconnected:
            hasReconnected = true
            usesFreshConnection = true
            return true
        case .stopExpecting:
            defer { expectsNothing = true }
            return !expectsNothing
        case .reconnect:
            return try await wait(isThrottled: false, asked: nil, pause)
        case .retry(let isThrottled, let asked):
            return try await wait(isThrottled: isThrottled, asked: asked, pause)
        }
    }

    private mutating func wait(
        isThrottled: Bool,
        asked: Duration?,
        _ pause: (Int, Duration) async throws -> Void
    ) async throws -> Bool {
        let delay = policy.delay(before: counted, isThrottled: isThrottled, asked: asked)
        guard counted < policy.maxAttempts else { return false }
        if let budget = policy.budget, start.duration(to: .now) + delay >= budget { return false }
        if let tokens {
            let cost = RetryTokens.cost(isThrottled: isThrottled)
            guard tokens.take(cost) else { return false }
            spent += cost
        }
        counted += 1
        try await pause(counted, delay)
        return true
    }
}

/// The tokens for retries that a client has left: when everything fails, trying again makes it worse.
///
/// The numbers are those of Amazon's own tools:
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
package final class RetryTokens: Sendable {
    private static let capacity = 500
    private let left = NIOLockedValueBox(capacity)

    package init() {}

    /// The number of tokens that a retry costs.
    package static func cost(isThrottled: Bool) -> Int { isThrottled ? 5 : 14 }

    /// Takes the tokens for a retry; returns `false` when there are not enough.
    package func take(_ cost: Int) -> Bool {
        left.withLockedValue { left in
            guard left >= cost else { return false }
            left -= cost
            return true
        }
    }

    /// Gives back the tokens of an operation that succeeded after retries; one that needed none earns one token.
    package func reward(_ cost: Int) {
        left.withLockedValue { $0 = min(Self.capacity, $0 + max(1, cost)) }
    }

    package var count: Int { left.withLockedValue { $0 } }
}
