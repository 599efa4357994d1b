public import Foundation

/// The status of one migration.
public struct MigrationStatus: Hashable, Sendable {
    /// The migration's name.
    public let name: String

    /// The time at which it was applied, `nil` when it has not been.
    public let appliedAt: Date?

    /// A Boolean value that indicates whether it writes other statements than those that were applied.
    public let isChanged: Bool
}
