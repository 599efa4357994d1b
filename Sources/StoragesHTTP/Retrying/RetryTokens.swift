import NIOConcurrencyHelpers

/// The tokens for retries that a client has left: when everything fails, trying again makes it worse.
final class RetryTokens: Sendable {
    private static let capacity = 500
    private let left = NIOLockedValueBox(capacity)

    /// The number of tokens that a retry costs.
    static func cost(isThrottled: Bool) -> Int { isThrottled ? 5 : 14 }

    /// Takes the tokens for a retry; returns `false` when there are not enough.
    func take(_ cost: Int) -> Bool {
        left.withLockedValue { left in
            guard left >= cost else { return false }
            left -= cost
            return true
        }
    }

    /// Gives back the tokens of an operation that succeeded after retries; one that needed none earns one token.
    func reward(_ cost: Int) {
        left.withLockedValue { $0 = min(Self.capacity, $0 + max(1, cost)) }
    }

    var count: Int { left.withLockedValue { $0 } }
}
