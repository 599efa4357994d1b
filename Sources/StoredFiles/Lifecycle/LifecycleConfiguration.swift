/// How long stored files wait for their rows, and for how long this process answers for an upload.
public struct LifecycleConfiguration: Sendable {
    /// How long a file may be without a row that names it, from the beginning of its upload and renewed while that
    /// lasts: one hour by default.
    ///
    /// After that a ``Reaper`` of any process deletes it. So it is the longest time between
    /// `store(_:named:for:contentType:progress:)` and the COMMIT of the row; a transaction that commits later fails with
    /// ``PostgresModels/DatabaseError/Code/objectInUse``. It is renewed every third of it while an upload is under way:
    /// a process that is killed leaves files behind for no longer than this.
    public var claimPeriod: Duration

    /// Creates a configuration.
    ///
    /// - Parameter claimPeriod: How long a file may be without a row. Default: one hour; at least 100 milliseconds.
    public init(claimPeriod: Duration = .seconds(3600)) {
        self.claimPeriod = max(claimPeriod, .milliseconds(100))
    }
}
