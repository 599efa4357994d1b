import NIOConcurrencyHelpers

/// Collects values from closures that may run on any thread.
package final class Recorder<Value: Sendable>: Sendable {
    private let box = NIOLockedValueBox<[Value]>([])

    package init() {}

    package var values: [Value] { box.withLockedValue { $0 } }

    package func append(_ value: Value) {
        box.withLockedValue { $0.append(value) }
    }
}
