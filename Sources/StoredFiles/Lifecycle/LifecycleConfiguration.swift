/// The times for which stored files wait for their rows, and this process answers for an upload.
public struct LifecycleConfiguration: Sendable {
    /// The time that a file may be without a row that names it, from the beginning of its upload and renewed while that
    /// lasts: one hour by default.
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

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - claimPeriod: How long a file may be without a row. Default: one hour; at least 100 milliseconds.
    ///   - environment: The environment that the program runs in. Default: none.
    public init(claimPeriod: Duration = .seconds(3600), environment: String? = nil) {
        self.claimPeriod = max(claimPeriod, .milliseconds(100))
        self.environment = environment
    }
}
