import NIOConcurrencyHelpers

/// Counts calls from any thread.
final class Counter: Sendable {
    private let count = NIOLockedValueBox(0)

    var value: Int { count.withLockedValue { $0 } }

    /// The number of this call, from 1.
    @discardableResult
    func next() -> Int {
        count.withLockedValue { count in
            count += 1
            return count
        }
    }
}
