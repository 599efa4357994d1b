package import Foundation

/// Credentials that may expire.
package protocol ExpiringCredentials: Equatable, Sendable {
    /// The date at which they expire; `nil` for never.
    var expiration: Date? { get }
}

/// The times at which a set of credentials is fetched again: first in the background, then with requests waiting for
/// it.
package struct CredentialLifetime: Hashable, Sendable {
    /// A number of seconds drawn from a range, so that many processes do not ask at the same time.
    package typealias Jitter = @Sendable (ClosedRange<TimeInterval>) -> TimeInterval

    /// The time before the end of a set at which it is refreshed in the background.
    static let advisoryMargin: TimeInterval = 15 * 60
    /// The time before the end of a set at which requests begin to wait for another.
    static let mandatoryMargin: TimeInterval = 10 * 60

    package let advisory: Date
    package let mandatory: Date

    /// Computes the times for a set that was just fetched.
    ///
    /// - Parameters:
    ///   - set: The set.
    ///   - old: The set until now.
    ///   - now: The time.
    ///   - jitter: A function that draws a number from a range.
    package init<Credentials: ExpiringCredentials>(
        of set: Credentials,
        replacing old: Credentials?,
        at now: Date,
        jitter: Jitter
    ) {
        guard let expiration = set.expiration else {
            advisory = .distantFuture
            mandatory = .distantFuture
            return
        }
        let left = expiration.timeIntervalSince(now)
        if left > Self.advisoryMargin + 60 {
            let end = expiration.addingTimeInterval(-jitter(0...60))
            advisory = end.addingTimeInterval(-Self.advisoryMargin)
            mandatory = end.addingTimeInterval(-Self.mandatoryMargin)
        } else if left <= 0 || set == old {
            // The source has nothing newer, as the metadata service of an instance while it is cut off: the set is used
            // on, and the service decides. Asking at every request would only add to the trouble.
            let end = now.addingTimeInterval(Self.advisoryMargin + jitter(120...600))
            advisory = end.addingTimeInterval(-Self.advisoryMargin)
            mandatory = end.addingTimeInterval(-Self.mandatoryMargin)
        } else {
            // A set that was short from the start: as little of its time is lost as with a long one.
            advisory = now.addingTimeInterval(left * 0.5)
            mandatory = now.addingTimeInterval(left * 0.8)
        }
    }
}
