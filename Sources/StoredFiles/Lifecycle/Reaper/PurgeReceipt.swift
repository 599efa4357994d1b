public import Storages

/// A record of what was removed when a file was purged: the receipt for who has to prove it.
public struct PurgeReceipt: Sendable {
    /// The outcome: the file is gone, is named by a row and stays, or is left to the reaper.
    public let outcome: PurgeOutcome

    /// The files that the storage had: the file itself first, then what was derived from it.
    ///
    /// Each with its versions, markers of deletions and unfinished uploads. Empty unless the outcome is
    /// ``PurgeOutcome/deleted``. Of a file that an ``Storages/OverlayStorage`` only reads the receipt says that it was
    /// kept, and the name hidden.
    public let files: [PurgedFile]

    init(_ outcome: PurgeOutcome, _ files: [PurgedFile] = []) {
        self.outcome = outcome
        self.files = files
    }
}
