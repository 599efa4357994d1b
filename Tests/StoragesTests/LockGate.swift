import NIOConcurrencyHelpers

/// Holds threads until it is opened.
final class LockGate: Sendable {
    private let lock = ConditionLock(value: false)

    func wait() {
        lock.lock(whenValue: true)
        lock.unlock()
    }

    func open() {
        lock.lock()
        lock.unlock(withValue: true)
    }
}
