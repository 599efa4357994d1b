import NIOConcurrencyHelpers

/// Holds threads until it is opened.
final class LockGate: Sendable {
    private let lock = ConditionLock(value: false)

    func wait() {
        lock.lock(whenValue: true)
        lock.unlock()
    }

    /// Waits, but not for ever.
    ///
    /// - Returns: Whether the gate was opened meanwhile.
    func wait(seconds: Double) -> Bool {
        guard lock.lock(whenValue: true, timeoutSeconds: seconds) else { return false }
        lock.unlock()
        return true
    }

    func open() {
        lock.lock()
        lock.unlock(withValue: true)
    }
}
