import NIOConcurrencyHelpers

/// The time until which a file that was just stored may be named by a row for the first time.
///
/// Who has waited longer names a file that may have been deleted, and once its tombstone is gone no database would
/// notice. Copies of a file share the receipt.
package final class StorageReceipt: Sendable {
    /// The end of the reservation, by a clock that goes on while the machine sleeps.
    private let end: ContinuousClock.Instant
    private let isWritten = NIOLockedValueBox(false)

    /// Makes a receipt.
    ///
    /// - Parameter period: How long from now the file may be without a row.
    package init(validFor period: Duration) {
        end = .now + period
    }

    /// Notes that the file is written into a row.
    ///
    /// - Returns: Whether it may be: before the end, and at any time when it was written before.
    package func write() -> Bool {
        isWritten.withLockedValue { isWritten in
            if !isWritten { isWritten = ContinuousClock.now < end }
            return isWritten
        }
    }
}
