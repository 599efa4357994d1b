public import Storages

/// How a storage and the rows that name its files are compared.
public struct FsckConfiguration: Sendable {
    /// What to look for: orphans and dangling rows by default.
    public var checks: FsckCheck
    /// Whether what is found is mended: no by default.
    ///
    /// An orphan is condemned: a ``Reaper`` deletes it after its retention, unless a row names it by then. A wrong size
    /// is forgotten, so that the next access finds out the right one. A dangling row is only reported: what to show in
    /// place of a file that is gone is the application's business.
    public var repairs: Bool
    /// How old an object must be to count as an orphan: one day by default.
    ///
    /// Younger ones may be on their way into a row by means that the journal does not know.
    public var minimumAge: Duration
    /// How many objects are looked at per second at the most: no limit by default.
    public var objectsPerSecond: Int?
    /// Where to go on after an interruption: ``FsckProgress/position`` of the last report.
    ///
    /// Default: at the beginning.
    public var position: StorageName?
    /// Only names that begin with this are looked at.
    ///
    /// Default: all.
    public var prefix: String

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - checks: What to look for. Default: orphans and dangling rows.
    ///   - repairs: Whether what is found is mended. Default: no, only reported.
    ///   - minimumAge: How old an object must be to count as an orphan. Default: one day.
    ///   - objectsPerSecond: How many objects are looked at per second at the most. Default: no limit.
    ///   - position: Where to go on after an interruption. Default: at the beginning.
    ///   - prefix: Only names that begin with this are looked at. Default: all.
    public init(
        checks: FsckCheck = [.orphans, .danglingRows],
        repairs: Bool = false,
        minimumAge: Duration = .seconds(86_400),
        objectsPerSecond: Int? = nil,
        position: StorageName? = nil,
        prefix: String = ""
    ) {
        self.checks = checks
        self.repairs = repairs
        self.minimumAge = minimumAge
        self.objectsPerSecond = objectsPerSecond.map { max($0, 1) }
        self.position = position
        self.prefix = prefix
    }
}
