public import Foundation

/// A retention, until whose end an object can neither be replaced nor deleted, in a bucket with object lock.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>
public struct S3ObjectLock: Hashable, Sendable {
    /// The retention modes, which differ in whether anybody may lift the lock.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// A lock that users with the permission `s3:BypassGovernanceRetention` may lift.
        case governance = "GOVERNANCE"
        /// A lock that no user may lift.
        case compliance = "COMPLIANCE"
    }

    /// The retention mode.
    public var mode: Mode
    /// The date at which the lock ends, in whole seconds.
    public var retainUntil: Date

    /// Creates a lock.
    ///
    /// - Parameters:
    ///   - mode: The retention mode.
    ///   - retainUntil: The date at which the lock ends.
    public init(mode: Mode, retainUntil: Date) {
        self.mode = mode
        self.retainUntil = retainUntil
    }
}
