/// A kind of finding that ``PostgresModels/Database/fsck(_:_:progress:report:)`` looks for.
public struct FsckCheck: OptionSet, Hashable, Sendable {
    /// The bits.
    public let rawValue: Int

    /// Creates a set from its bits.
    ///
    /// - Parameter rawValue: The bits.
    public init(rawValue: Int) {
        self.rawValue = rawValue
    }

    /// Objects that no row names and that are not in the journal.
    public static let orphans = FsckCheck(rawValue: 1 << 0)
    /// Rows that name files that are not there.
    public static let danglingRows = FsckCheck(rawValue: 1 << 1)
    /// Size columns that do not say what the image's header says.
    ///
    /// Reads the beginning of every image that has a size.
    public static let sizes = FsckCheck(rawValue: 1 << 2)
}
