internal import NIOConcurrencyHelpers

/// The ways to place a new file that are left to try on a file system, found out by uploading.
///
/// Nothing is tried beforehand: a disk that is full or read-only when a program starts would decide for its whole life.
/// A way that was refused is left out from then on only when one after it has worked for the same file, so that a
/// missing permission, which has the same `errno` on some systems, decides nothing.
final class PlacementWays: Sendable {
    typealias Way = FileSystemProbe.Placement

    private let first: NIOLockedValueBox<Int>
    private let usable: [Way]

    /// - Parameter usable: The ways that may be tried, in the order of ``FileSystemProbe/Placement/allCases``.
    init(usable: [Way]) {
        self.usable = usable
        first = NIOLockedValueBox(0)
    }

    /// The same ways, as if nothing had been tried.
    func untried() -> PlacementWays {
        PlacementWays(usable: usable)
    }

    /// A Boolean value that indicates whether a file without a name is the next way to try.
    var startsNameless: Bool { usable[first.withLockedValue { $0 }...].first == .namelessLink }

    /// The ways to try for a file that has a name, best first.
    var forNamedFiles: [Way] { usable[first.withLockedValue { $0 }...].filter { $0 != .namelessLink } }

    /// Leaves out what comes before a way that has worked.
    func settle(_ way: Way) {
        guard let index = usable.firstIndex(of: way) else { return }
        first.withLockedValue { $0 = max($0, index) }
    }

    /// Leaves out files without a name: they cannot be made here.
    func leaveOutNameless() {
        guard let index = usable.firstIndex(where: { $0 != .namelessLink }) else { return }
        first.withLockedValue { $0 = max($0, index) }
    }
}
