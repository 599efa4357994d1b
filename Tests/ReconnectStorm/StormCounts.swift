import Synchronization

/// The counts of what has happened so far.
final class StormCounts: Sendable, CustomStringConvertible {
    /// The tasks of this round that are not over.
    let running = Atomic<Int>(0)
    let rounds = Atomic<Int>(0)
    let kills = Atomic<Int>(0)
    let ended = Atomic<Int>(0)
    let fine = Atomic<Int>(0)
    let lost = Atomic<Int>(0)
    let unexpected = Mutex<[String]>([])

    var description: String {
        let errors = unexpected.withLock { $0 }
        return """
            rounds \(rounds.load(ordering: .relaxed)) kills \(kills.load(ordering: .relaxed)) \
            fine \(fine.load(ordering: .relaxed)) lost \(lost.load(ordering: .relaxed)) \
            unexpected \(errors.count) \(Set(errors).sorted().prefix(5))
            """
    }
}
