import Storages

/// Settings of a ``Reaper``; the defaults suit a web application.
///
/// ``Reaper/run()`` and ``PostgresModels/Database/reap(_:waitLimit:)`` refuse values out of range. No time may be
/// longer than 100 years.
public struct ReaperConfiguration: Sendable {
    /// The time that a file is kept after the last row that named it went: one hour by default.
    ///
    /// Pages and caches that still show it have that long, and so has a person who deleted the wrong row and looks for
    /// the file. ``PostgresModels/Database/purge(_:in:waitLimit:waitsForStandbys:)`` ignores it.
    public var retention: Duration
    /// The time that the name of a deleted file stays unusable: one day by default.
    ///
    /// The object is deleted once more at the end: the request of an upload that was given up may have arrived late.
    public var tombstoneAge: Duration
    /// The longest pause between two looks at the journal: one minute by default.
    ///
    /// At least 10 milliseconds. With a retention that is shorter than this, files are kept for up to this long.
    public var interval: Duration
    /// The number of names that are deleted in one go: 500 by default, 1 to 1000.
    public var batchSize: Int
    /// The number of batches that are under way at the same time per storage: 2 by default, at least 1.
    public var concurrency: Int
    /// The time that other reapers leave a batch to the one that took it: five minutes by default.
    ///
    /// At least 100 milliseconds. A deletion that takes longer is given up and tried again.
    public var lease: Duration
    /// The pause before a name that could not be deleted is tried again: one second by default, doubled each time up to
    /// an hour, and scattered; at least 1 millisecond.
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
        self.retention = retention
        self.tombstoneAge = tombstoneAge
        self.interval = interval
        self.batchSize = batchSize
        self.concurrency = concurrency
        self.lease = lease
        self.backoff = backoff
    }

    /// Refuses values out of range.
    ///
    /// - Throws: ``Storages/StorageError`` with code `.invalidConfiguration` that names the property.
    func validate() throws {
        let times: [(property: String, value: Duration, least: Duration, leastInWords: String)] = [
            ("retention", retention, .zero, "0 seconds"),
            ("tombstoneAge", tombstoneAge, .zero, "0 seconds"),
            ("interval", interval, .milliseconds(10), "10 milliseconds"),
            ("lease", lease, .milliseconds(100), "100 milliseconds"),
            ("backoff", backoff, .milliseconds(1), "1 millisecond"),
        ]
        for time in times {
            try StorageError.check(
                time.value,
                of: "ReaperConfiguration.\(time.property)",
                in: time.least...StorageError.longestTime,
                expected: "\(time.leastInWords) to 100 years"
            )
        }
        try StorageError.check(
            batchSize,
            of: "ReaperConfiguration.batchSize",
            in: 1...1000,
            expected: "1 to 1000"
        )
        try StorageError.check(concurrency, of: "ReaperConfiguration.concurrency", in: 1..., expected: "1 or more")
    }

    /// The pause before the next try after so many.
    func delay(after attempts: Int) -> Duration {
        let doubled = backoff * (1 << min(max(attempts - 1, 0), 20))
        return min(doubled, .seconds(3600)) * Double.random(in: 0.75...1.25)
    }
}
