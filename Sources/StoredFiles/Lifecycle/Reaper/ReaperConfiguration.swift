/// Settings of a ``Reaper``; the defaults suit a web application.
public struct ReaperConfiguration: Sendable {
    /// The time that a file is kept after the last row that named it went: one hour by default.
    ///
    /// Pages and caches that still show it have that long, and so has a person who deleted the wrong row and looks for
    /// the file. ``PostgresModels/Database/purge(_:in:patience:waitsForStandbys:)`` ignores it.
    public var retention: Duration
    /// The time that the name of a deleted file stays unusable: one day by default.
    ///
    /// The object is deleted once more at the end: the request of an upload that was given up may have arrived late.
    public var tombstoneAge: Duration
    /// The longest pause between two looks at the journal: one minute by default.
    ///
    /// With a retention that is shorter than this, files are kept for up to this long.
    public var interval: Duration
    /// The number of names that are deleted in one go: 500 by default, 1 to 1000.
    public var batchSize: Int
    /// The number of batches that are under way at the same time per storage: 2 by default.
    public var concurrency: Int
    /// The time that other reapers leave a batch to the one that took it: five minutes by default.
    ///
    /// A deletion that takes longer is given up and tried again.
    public var lease: Duration
    /// The pause before a name that could not be deleted is tried again: one second by default, doubled each time up to
    /// an hour, and scattered.
    public var backoff: Duration

    /// Creates a configuration.
    ///
    /// - Parameters:
    ///   - retention: How long a file is kept after its row. Default: one hour.
    ///   - tombstoneAge: How long the name of a deleted file stays unusable. Default: one day.
    ///   - interval: The longest pause between two looks at the journal. Default: one minute.
    ///   - batchSize: How many names are deleted in one go. Default: 500.
    ///   - concurrency: How many batches are under way per storage. Default: 2.
    ///   - lease: How long other reapers leave a batch alone. Default: five minutes.
    ///   - backoff: The pause before a second try. Default: one second.
    public init(
        retention: Duration = .seconds(3600),
        tombstoneAge: Duration = .seconds(86_400),
        interval: Duration = .seconds(60),
        batchSize: Int = 500,
        concurrency: Int = 2,
        lease: Duration = .seconds(300),
        backoff: Duration = .seconds(1)
    ) {
        self.retention = max(retention, .zero)
        self.tombstoneAge = max(tombstoneAge, .zero)
        self.interval = max(interval, .milliseconds(10))
        self.batchSize = min(max(batchSize, 1), 1000)
        self.concurrency = max(concurrency, 1)
        self.lease = max(lease, .milliseconds(100))
        self.backoff = max(backoff, .milliseconds(1))
    }

    /// The pause before the next try after so many.
    func delay(after attempts: Int) -> Duration {
        let doubled = backoff * (1 << min(max(attempts - 1, 0), 20))
        return min(doubled, .seconds(3600)) * Double.random(in: 0.75...1.25)
    }
}
