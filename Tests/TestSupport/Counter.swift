import NIOConcurrencyHelpers

/// Counts calls from any thread.
package final class Counter: Sendable {
    private let count = NIOLockedValueBox(0)

    package init() {}

    package var value: Int { count.withLockedValue { $0 } }

    /// The number of this call, from 1.
    @discardableResult
    package func next() -> Int {
        count.withLockedValue { count in
            count += 1
            return count
        }
    }
}
