import NIOConcurrencyHelpers

/// Holds threads until it is opened.
package final class ThreadGate: Sendable {
    private let lock = ConditionLock(value: false)

    package init() {}

    package func wait() {
        lock.lock(whenValue: true)
        lock.unlock()
    }

    /// Waits, but not for ever.
    ///
    /// - Returns: Whether the gate was opened meanwhile.
    package func wait(seconds: Double) -> Bool {
        guard lock.lock(whenValue: true, timeoutSeconds: seconds) else { return false }
        lock.unlock()
        return true
    }

    package func open() {
        lock.lock()
        lock.unlock(withValue: true)
    }
}
