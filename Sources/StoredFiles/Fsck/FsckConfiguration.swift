public import Storages

/// Settings of how a storage and the rows that name its files are compared.
///
/// ``PostgresModels/Database/fsck(_:_:progress:report:)`` refuses values out of range.
public struct FsckConfiguration: Sendable {
    /// The findings to look for: orphans and dangling rows by default.
    public var checks: FsckCheck
    /// A Boolean value that indicates whether what is found is mended: `false` by default.
    ///
    /// An orphan is condemned: a ``Reaper`` deletes it after its retention, unless a row names it by then. A wrong size
    /// is forgotten, so that the next access finds out the right one. A dangling row is only reported: what to show in
    /// place of a file that is gone is the application's business.
    public var repairs: Bool
    /// The age from which an object counts as an orphan: one day by default, from 0 seconds to 100 years.
    ///
    /// Younger ones may be on their way into a row by means that the journal does not know.
    public var minimumAge: Duration
    /// The number of orphans that are condemned at most: a thousand, or a twentieth of the objects if that is more, by
    /// default.
    ///
    /// When there are more of them, something else is more likely than that many orphans: a table that was restored
    /// without its rows, a storage that another database shares. Then the run ends with an error.
    public var orphanLimit: Int?
    /// The number of objects that are looked at per second at the most: no limit by default, otherwise at least 1.
    public var objectsPerSecond: Int?
    /// The position to go on from after an interruption: ``FsckProgress/position`` of the last report.
    ///
    /// Default: at the beginning.
    public var position: StorageName?
    /// The prefix of the names that are compared.
    ///
    /// Default: all.
    public var prefix: String

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - checks: What to look for. Default: orphans and dangling rows.
    ///   - repairs: Whether what is found is mended. Default: no, only reported.
    ///   - minimumAge: How old an object must be to count as an orphan. Default: one day.
    ///   - orphanLimit: How many orphans are condemned at most. Default: a thousand, or a twentieth of the objects.
    ///   - objectsPerSecond: How many objects are looked at per second at the most. Default: no limit.
    ///   - position: Where to go on after an interruption. Default: at the beginning.
    ///   - prefix: Only names that begin with this are looked at. Default: all.
    public init(
        checks: FsckCheck = [.orphans, .danglingRows],
        repairs: Bool = false,
        minimumAge: Duration = .seconds(86_400),
        orphanLimit: Int? = nil,
        objectsPerSecond: Int? = nil,
        position: StorageName? = nil,
        prefix: String = ""
    ) {
        self.checks = checks
        self.repairs = repairs
        self.minimumAge = minimumAge
        self.orphanLimit = orphanLimit
        self.objectsPerSecond = objectsPerSecond
        self.position = position
        self.prefix = prefix
    }

    /// Refuses values out of range.
    ///
    /// - Throws: ``Storages/StorageError`` with code `.invalidConfiguration` that names the property.
    func validate() throws {
        try StorageError.check(
            minimumAge,
            of: "FsckConfiguration.minimumAge",
            in: .zero...StorageError.longestTime,
            expected: "0 seconds to 100 years"
        )
        try StorageError.check(orphanLimit, of: "FsckConfiguration.orphanLimit", in: 0..., expected: "0 or more")
        try StorageError.check(
            objectsPerSecond,
            of: "FsckConfiguration.objectsPerSecond",
            in: 1...,
            expected: "1 or more, or nil for no limit"
        )
    }
}
