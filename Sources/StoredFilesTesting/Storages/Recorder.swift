import NIOConcurrencyHelpers

/// Collects values from closures that may run on any thread.
final class Recorder<Value: Sendable>: Sendable {
    private let box = NIOLockedValueBox<[Value]>([])

    var values: [Value] { box.withLockedValue { $0 } }

    func append(_ value: Value) {
        box.withLockedValue { $0.append(value) }
    }
}
