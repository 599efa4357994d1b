/// An error that keeps migrations from being applied.
public struct MigrationError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Kind: String {
            case duplicateName, changedAfterApplying, unknownApplied, failed, outcomeUnknown, locked, lockLost,
                irreversible
        }

        private let kind: Kind

        /// The code's own name.
        public var description: String { kind.rawValue }

        /// Two migrations of the list have one name.
        public static let duplicateName = Code(kind: .duplicateName)
        /// A migration that has been applied writes other statements than it did then.
        public static let changedAfterApplying = Code(kind: .changedAfterApplying)
        /// A migration that is not among those given was applied after one that is to be reverted.
        public static let unknownApplied = Code(kind: .unknownApplied)
        /// A statement failed; the cause is the ``DatabaseError``.
        public static let failed = Code(kind: .failed)
        /// The connection was lost during the COMMIT of a migration, which may be applied or not.
        ///
        /// Migrating again finds out.
        public static let outcomeUnknown = Code(kind: .outcomeUnknown)
        /// Another process has been migrating for too long.
        public static let locked = Code(kind: .locked)
        /// The session that held the lock was ended by somebody, so that another process may migrate, too.
        ///
        /// What was being applied was rolled back. Migrate again.
        public static let lockLost = Code(kind: .lockLost)
        /// The migration does not say how to undo it.
        public static let irreversible = Code(kind: .irreversible)
    }

    /// The kind of failure.
    public var code: Code

    /// The message: what failed, and how to mend it.
    public var message: String

    /// The migration concerned.
    public var migration: String?

    /// The cause, when there is one.
    public var underlying: (any Error)?

    /// An error.
    ///
    /// - Parameters:
    ///   - code: What kind of failure it is.
    ///   - message: What failed, and how to mend it.
    ///   - migration: The migration concerned.
    ///   - underlying: The cause.
    public init(code: Code, message: String, migration: String? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.migration = migration
        self.underlying = underlying
    }

    /// A description in one line: the code, the message, the cause.
    public var description: String {
        underlying.map { "\(code): \(message) (caused by: \($0))" } ?? "\(code): \(message)"
    }
}
