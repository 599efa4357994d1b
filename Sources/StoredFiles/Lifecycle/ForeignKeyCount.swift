import NIOConcurrencyHelpers
import Storages

/// Counts the keys that a listing passes over, and keeps some of them.
final class ForeignKeyCount: Sendable {
    private static let mostSamples = 20
    private let box = NIOLockedValueBox<(count: Int, samples: [ForeignKey])>((0, []))

    var value: (count: Int, samples: [ForeignKey]) { box.withLockedValue { $0 } }

    @Sendable func note(_ key: ForeignKey) {
        box.withLockedValue { value in
            value.count += 1
            if value.samples.count < Self.mostSamples { value.samples.append(key) }
        }
    }
}
