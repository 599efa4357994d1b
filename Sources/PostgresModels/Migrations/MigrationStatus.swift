public import Foundation

/// The status of one migration.
public struct MigrationStatus: Hashable, Sendable {
    /// The migration's name.
    public let name: String

    /// When it was applied, `nil` when it has not been.
    public let appliedAt: Date?

    /// True when it writes other statements than those that were applied.
    public let isChanged: Bool
}
