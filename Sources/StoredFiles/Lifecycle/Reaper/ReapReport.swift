public import Storages

/// The result of a look at the journal.
public struct ReapReport: Sendable {
    /// A file that could not be deleted, and will be tried again.
    public struct Failure: Sendable {
        /// The storage of the file.
        public let storage: StorageID
        /// The name of the file.
        public let name: StorageName
        /// The number of times that it has been tried.
        public let attempts: Int
        /// The reason why it could not be deleted.
        public let error: any Error
    }

    /// A storage of which nothing was deleted, and why.
    public struct Refusal: Sendable {
        /// The storage.
        public let storage: StorageID
        /// The obstacle: rows that cannot be looked into, a mark of another database, a storage that is down.
        public let error: any Error
    }

    /// The number of files that were deleted, variants not counted.
    public internal(set) var deleted = 0
    /// The number of files that turned out to be named by a row after all, and live on.
    public internal(set) var revived = 0
    /// The number of tombstones that went.
    public internal(set) var forgotten = 0
    /// The number of files that could not be deleted.
    public internal(set) var failed = 0
    /// The first hundred of those.
    public internal(set) var failures: [Failure] = []
    /// The storages of which nothing was deleted; the others were worked on.
    public internal(set) var refusals: [Refusal] = []
    /// A Boolean value that indicates whether names wait for transactions that were running when they were marked; a
    /// later pass deletes their files.
    public internal(set) var isWaiting = false

    init() {}

    init(refusing storage: StorageID, _ error: any Error) {
        refusals = [Refusal(storage: storage, error: error)]
    }

    /// A Boolean value that indicates whether there was nothing to do.
    var isEmpty: Bool { deleted + revived + forgotten + failed == 0 }

    mutating func add(_ failures: [Failure]) {
        failed += failures.count
        self.failures += failures.prefix(100 - min(100, self.failures.count))
    }

    mutating func add(_ other: ReapReport) {
        deleted += other.deleted
        revived += other.revived
        forgotten += other.forgotten
        failed += other.failed
        failures += other.failures.prefix(100 - min(100, failures.count))
        // The latest look counts: what was in the way may have gone.
        refusals =
            other.refusals
            + refusals.filter { refusal in
                !other.refusals.contains { $0.storage == refusal.storage }
            }
        isWaiting = other.isWaiting
    }
}
