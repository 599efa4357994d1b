import Foundation
import LifecycleTestSupport
import NIOConcurrencyHelpers
import StoredFiles

/// Counts the times that a point is reached, and ends the process at one of them.
final class Failpoints: Sendable {
    private let target: Failpoint?
    private let left: NIOLockedValueBox<Int>

    init(_ target: Failpoint?, occurrence: Int) {
        self.target = target
        left = NIOLockedValueBox(occurrence)
    }

    func reach(_ point: Failpoint) {
        guard point == target else { return }
        let isOver = left.withLockedValue { left in
            left -= 1
            return left <= 0
        }
        if isOver { kill(getpid(), SIGKILL) }
    }

    func observe(_ database: Database) {
        database.observeLifecycleSteps { step in
            if let point = Failpoint(rawValue: step.rawValue) { self.reach(point) }
        }
    }
}
