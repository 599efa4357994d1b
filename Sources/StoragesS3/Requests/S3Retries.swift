import StoragesHTTP

/// The number and the timing of the retries of a request.
///
/// Waits double from attempt to attempt and are drawn at random between zero and that, so that clients that failed
/// together do not come back together. A client whose requests keep failing stops retrying.
///
/// With the defaults the waits are at most 50, 100, 200 and 400 milliseconds, so that five attempts that fail at once,
/// as they do when a connection is refused, are over within 0.75 seconds, on average in half of that, whatever
/// ``budget`` says; a server that says that it is overloaded is waited for 15 seconds at the most. This helps against a
/// lost connection or a busy server, and not when a server is restarted: for that there is ``patient``.
public struct S3Retries: Hashable, Sendable {
    /// The most attempts of a request, the first included.
    ///
    /// Default: 5.
    public var maxAttempts: Int
    /// The time after which no attempt begins; waiting for a connection that others have counts.
    ///
    /// Default: 60 seconds.
    public var budget: Duration
    /// The longest wait before the second attempt; it doubles with each further attempt.
    ///
    /// Default: 50 milliseconds.
    public var baseDelay: Duration
    /// The longest wait before the second attempt, when the server said that it is overloaded.
    ///
    /// Default: 1 second.
    public var throttledBaseDelay: Duration
    /// The longest wait, also when the server asks for a longer one.
    ///
    /// Default: 20 seconds.
    public var maxDelay: Duration
    /// A Boolean value that indicates whether the requests of a storage share a number of retries, some 35 that only
    /// successes make good again, so that a server on which everything fails is not asked several times as often.
    ///
    /// Default: `true`.
    public var limitsAllRequests = true

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - maxAttempts: The most attempts. Default: 5.
    ///   - budget: The time after which no attempt begins. Default: 60 seconds.
    ///   - baseDelay: The longest wait before the second attempt. Default: 50 milliseconds.
    ///   - throttledBaseDelay: The same for an overloaded server. Default: 1 second.
    ///   - maxDelay: The longest wait. Default: 20 seconds.
    public init(
        maxAttempts: Int = 5,
        budget: Duration = .seconds(60),
        baseDelay: Duration = .milliseconds(50),
        throttledBaseDelay: Duration = .seconds(1),
        maxDelay: Duration = .seconds(20)
    ) {
        self.maxAttempts = maxAttempts
        self.budget = budget
        self.baseDelay = baseDelay
        self.throttledBaseDelay = throttledBaseDelay
        self.maxDelay = maxDelay
    }

    /// A single attempt, without retries.
    public static let none = S3Retries(maxAttempts: 1)

    /// A policy of as many attempts as ten minutes hold: for programs that had better wait than fail, such as workers
    /// and migrations, while a server is restarted or fails over.
    ///
    /// A server that does not respond, or refuses connections, is asked after up to 0.2, 0.4, 0.8 seconds and so on, in
    /// the end every 15 seconds at the most, on average every 7 or 8. An upload that waits goes on holding the memory
    /// of its parts.
    public static let patient: S3Retries = {
        var retries = S3Retries(
            maxAttempts: 1000,
            budget: .seconds(600),
            baseDelay: .milliseconds(200),
            maxDelay: .seconds(15)
        )
        retries.limitsAllRequests = false
        return retries
    }()

    /// The same numbers for the loop that makes the attempts.
    var policy: RetryPolicy {
        RetryPolicy(
            maxAttempts: maxAttempts,
            budget: budget,
            baseDelay: baseDelay,
            throttledBaseDelay: throttledBaseDelay,
            maxDelay: maxDelay
        )
    }
}
