import NIOConcurrencyHelpers

/// How many more retries a client may afford: when everything fails, trying again makes it worse.
final class RetryTokens: Sendable {
    private static let capacity = 500
    private let left = NIOLockedValueBox(capacity)

    /// What a retry costs.
    static func cost(isThrottled: Bool) -> Int { isThrottled ? 5 : 14 }

    /// Takes the price of a retry; `false` when there is not enough.
    func take(_ cost: Int) -> Bool {
        left.withLockedValue { left in
            guard left >= cost else { return false }
            left -= cost
            return true
        }
    }

    /// Gives back what the retries of an operation cost that succeeded in the end; one that needed none earns one.
    func reward(_ cost: Int) {
        left.withLockedValue { $0 = min(Self.capacity, $0 + max(1, cost)) }
    }

    var count: Int { left.withLockedValue { $0 } }
}
