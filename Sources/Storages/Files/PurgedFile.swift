public import Foundation

/// The result of removing everything that a storage keeps under one name, see ``Storage/purge(_:)``.
///
/// When ``error`` is `nil` nothing is left, but for what ``isInherited`` speaks of, and the counts say what there was:
/// the receipt for who has to prove a deletion.
public struct PurgedFile: Sendable, CustomStringConvertible {
    /// The name.
    public var name: StorageName
    /// The number of versions that were removed, bytes and all; at most 1 in a storage that keeps one version of a
    /// file.
    public var versionCount: Int
    /// The number of delete markers that were removed, in a storage that keeps versions.
    public var markerCount: Int
    /// The number of unfinished uploads that were aborted, where the storage can count them.
    public var uploadCount: Int
    /// The reason why something may be left; `nil` when nothing is.
    ///
    /// The counts say what was removed all the same.
    public var error: StorageError?
    /// The time until which the storage retains a version that it did not remove, if it reports one.
    public var retainedUntil: Date?
    /// A Boolean value that indicates whether the lower storage of an ``OverlayStorage`` has a file of the name: it is
    /// hidden and was not removed.
    public var isInherited: Bool

    /// Creates a receipt.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - versionCount: How many versions were removed. Default: none.
    ///   - markerCount: How many markers of deletions were removed. Default: none.
    ///   - uploadCount: How many unfinished uploads were given up. Default: none.
    ///   - error: Why something may be left. Default: nothing is left.
    ///   - retainedUntil: Until when the storage keeps what is left. Default: unknown.
    ///   - isInherited: Whether the lower storage of an overlay keeps a file of the name. Default: no.
    public init(
        name: StorageName,
        versionCount: Int = 0,
        markerCount: Int = 0,
        uploadCount: Int = 0,
        error: StorageError? = nil,
        retainedUntil: Date? = nil,
        isInherited: Bool = false
    ) {
        self.name = name
        self.versionCount = versionCount
        self.markerCount = markerCount
        self.uploadCount = uploadCount
        self.error = error
        self.retainedUntil = retainedUntil
        self.isInherited = isInherited
    }

    /// The name, the counts and the reason; safe to log.
    public var description: String {
        let removed = "\(versionCount) versions, \(markerCount) markers, \(uploadCount) unfinished uploads removed"
        let kept = isInherited ? "; the lower storage keeps a file" : ""
        return "\(name): \(removed)" + kept + (error.map { "; \($0)" } ?? "")
    }
}
