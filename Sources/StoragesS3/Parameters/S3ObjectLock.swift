public import Foundation

/// Until when an object can neither be replaced nor deleted, in a bucket with object lock.
public struct S3ObjectLock: Hashable, Sendable {
    /// Whether anybody may lift the lock.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Whoever has the right to.
        case governance = "GOVERNANCE"
        /// Nobody.
        case compliance = "COMPLIANCE"
    }

    /// Whether anybody may lift the lock.
    public var mode: Mode
    /// When it ends, in whole seconds.
    public var retainUntil: Date

    /// Creates a lock.
    ///
    /// - Parameters:
    ///   - mode: Whether anybody may lift it.
    ///   - retainUntil: When it ends.
    public init(mode: Mode, retainUntil: Date) {
        self.mode = mode
        self.retainUntil = retainUntil
    }
}
