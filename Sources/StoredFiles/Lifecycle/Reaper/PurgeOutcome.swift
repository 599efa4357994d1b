/// The outcome of deleting a file at once.
public enum PurgeOutcome: Hashable, Sendable {
    /// The file is gone.
    case deleted
    /// A row names the file, or it is none of the journal's: it was left alone.
    case live
    /// A transaction that may name the file, its upload, or another reaper was in the way: the reaper deletes it later.
    case pending
}
