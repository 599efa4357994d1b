/// The settings for transfers of large files.
public struct S3Transfers: Hashable, Sendable {
    /// The size above which files are uploaded by multipart upload.
    ///
    /// Default: 8 MiB.
    public var multipartThreshold: Int64 = 8 << 20
    /// The size of the parts of a file whose length is known; larger when there would be too many.
    ///
    /// Default: 8 MiB.
    public var partSize: Int64 = 8 << 20
    /// The size of the parts of a source of unknown length: with 10,000 of them the largest file there can be has 156
    /// GiB.
    ///
    /// Default: 16 MiB.
    public var partSizeOfUnknownLength: Int64 = 16 << 20
    /// The most parts of an upload that are on their way at the same time; one for a server that puts them together in
    /// order.
    ///
    /// Default: 4.
    public var uploadConcurrency = 4
    /// The most bytes of parts that all uploads of the storage hold in memory at the same time.
    ///
    /// They count as they arrive from the sources. Beside them each upload holds 512 KiB at most: its first bytes, for
    /// which it never waits, and a chunk on its way. Uploads that need more wait, as long as ``waitLimit`` allows.
    ///
    /// Default: 128 MiB.
    public var memoryBudget = 128 << 20
    /// The longest that the source of an upload may deliver nothing: 1 millisecond to 24 hours.
    ///
    /// The upload then fails with ``StorageError/Code/sourceFailed`` and leaves nothing. The time in which it waits for
    /// memory, or the server for it, does not count.
    ///
    /// Default: 60 seconds.
    public var sourceTimeout = Duration.seconds(60)
    /// The longest that a request waits for one of the ``S3Options/maxConnections``, and an upload for memory, because
    /// others have all of it: 1 millisecond to 24 hours.
    ///
    /// What waited longer fails with ``StorageError/Code/timeout``. The wait for a connection also counts against
    /// ``S3Retries/budget``, after which no further attempt begins. A program that starts thousands of transfers at
    /// once raises it, or better starts fewer.
    ///
    /// Default: 5 minutes.
    public var waitLimit = Duration.seconds(300)
    /// The size above which files are downloaded in ranges.
    ///
    /// Default: 16 MiB.
    public var rangedDownloadThreshold: Int64 = 16 << 20
    /// The size of those ranges: 1 MiB to 1 GiB.
    ///
    /// Default: 4 MiB.
    public var rangeSize: Int64 = 4 << 20
    /// The most ranges of a download that are on their way at the same time; 1 reads from one connection.
    ///
    /// Default: 4.
    public var downloadConcurrency = 4
    /// The most times that an interrupted download goes on where it was; after 8 MiB of progress the count begins anew.
    ///
    /// Default: 5.
    public var downloadResumptions = 5

    /// Creates settings with all defaults.
    public init() {}
}
