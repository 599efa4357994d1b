/// The progress of a transfer.
public struct TransferProgress: Hashable, Sendable {
    /// Bytes moved so far.
    public var completedBytes: Int64
    /// Bytes to move in all, when known before the end.
    public var totalBytes: Int64?

    /// Creates a progress report.
    ///
    /// - Parameters:
    ///   - completedBytes: Bytes moved so far.
    ///   - totalBytes: Bytes to move in all, `nil` when unknown.
    public init(completedBytes: Int64, totalBytes: Int64?) {
        self.completedBytes = completedBytes
        self.totalBytes = totalBytes
    }
}

/// Receives progress reports, in order and never at the same time; it should return at once.
public typealias ProgressHandler = @Sendable (TransferProgress) -> Void
