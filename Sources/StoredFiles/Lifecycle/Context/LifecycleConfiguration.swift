import Storages

/// The times for which stored files wait for their rows, and what fields require of a storage.
///
/// ``PostgresModels/Database/connect(_:storages:prober:lifecycle:configuration:)`` refuses values out of range.
public struct LifecycleConfiguration: Sendable {
    /// The time that a file may be without a row that names it, from the beginning of its upload and renewed while that
    /// lasts: one hour by default, from 100 milliseconds to 100 years.
    ///
    /// After that a ``Reaper`` of any process deletes it. So it is the longest time between
    /// `store(_:named:for:contentType:progress:)` and the COMMIT of the row; a transaction that commits later fails
    /// with ``PostgresModels/DatabaseError/Code/objectInUse``. It is renewed every third of it while an upload is under
    /// way: a process that is killed leaves files behind for no longer than this.
    public var claimPeriod: Duration

    /// The environment that the program runs in, for example `production`; `nil` by default.
    ///
    /// A storage remembers the first one that it was used from. A copy of the whole server, which is the same in all
    /// else, then refuses to delete files as long as it says that it is another.
    public var environment: String?

    /// The requirement that a storage refuses to overwrite: `true` by default.
    ///
    /// The names of fields' files have 80 random bits, so two are never equal by chance; a condition on the write
    /// protects them from everything else, such as a program with a broken random generator, or a bucket that was
    /// restored beside another. Some S3-compatible servers cannot make a write depend on what is there, or only one of
    /// a whole file and not one in parts. Fields refuse them with ``Storages/StorageError/Code/unsupported`` before a
    /// byte is sent, unless this is `false`: then they store without the condition there, and with it elsewhere.
    public var requiresConditionalUploads: Bool

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - claimPeriod: How long a file may be without a row. Default: one hour.
    ///   - environment: The environment that the program runs in. Default: none.
    ///   - requiresConditionalUploads: Whether fields refuse storages that would overwrite. Default: `true`.
    public init(
        claimPeriod: Duration = .seconds(3600),
        environment: String? = nil,
        requiresConditionalUploads: Bool = true
    ) {
        self.claimPeriod = claimPeriod
        self.environment = environment
        self.requiresConditionalUploads = requiresConditionalUploads
    }

    /// Refuses values out of range.
    ///
    /// - Throws: ``Storages/StorageError`` with code `.invalidConfiguration` that names the property.
    func validate() throws {
        try StorageError.check(
            claimPeriod,
            of: "LifecycleConfiguration.claimPeriod",
            in: .milliseconds(100)...StorageError.longestTime,
            expected: "100 milliseconds to 100 years"
        )
    }
}
