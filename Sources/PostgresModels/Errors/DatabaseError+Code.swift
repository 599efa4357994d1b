extension DatabaseError {
    /// The kinds of failure; more may be added, so a `switch` needs a `default`.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Name: String {
            case connectionFailed, connectionLost, outcomeUnknown, closed, poolTimeout, commandInProgress
            case uniqueViolation, foreignKeyViolation, notNullViolation, checkViolation, exclusionViolation
            case serializationFailure, deadlock, staleStatement, transactionAborted, lockTimeout, objectInUse, timeout
            case invalidState
            case queryFailed, invalidStatement, undefinedObject, permissionDenied, readOnly, invalidData
            case decodingFailed, missingColumn, typeMismatch, invalidIdentifier, invalidArgument, notFound
        }

        private let name: Name

        private init(_ name: Name) {
            self.name = name
        }

        /// The name of the code as it is written in Swift.
        public var description: String {
            name.rawValue
        }

        /// No connection could be made: nobody listens, the server refused, or the time ran out.
        ///
        /// Nothing was sent.
        public static let connectionFailed = Code(.connectionFailed)
        /// The connection broke while it was open; a statement that was running may or may not have taken effect.
        public static let connectionLost = Code(.connectionLost)
        /// The connection broke during COMMIT: the transaction may be committed or not.
        ///
        /// Look before repeating it.
        public static let outcomeUnknown = Code(.outcomeUnknown)
        /// The connection, pool or database was closed by this program.
        public static let closed = Code(.closed)
        /// No connection came free within the acquire timeout: all that may be open were in use.
        ///
        /// When there was none because the server could not be reached, the code is ``connectionFailed``.
        public static let poolTimeout = Code(.poolTimeout)
        /// A second command was started on a connection that is still running one.
        public static let commandInProgress = Code(.commandInProgress)
        /// A UNIQUE constraint or unique index has the value already (23505).
        public static let uniqueViolation = Code(.uniqueViolation)
        /// A foreign key points to nothing, or something still points here (23503, 23001).
        public static let foreignKeyViolation = Code(.foreignKeyViolation)
        /// NULL in a column that must not be NULL (23502).
        public static let notNullViolation = Code(.notNullViolation)
        /// A CHECK constraint refused the row (23514).
        public static let checkViolation = Code(.checkViolation)
        /// An EXCLUDE constraint refused the row (23P01).
        public static let exclusionViolation = Code(.exclusionViolation)
        /// The transaction collided with a concurrent one (40001): run the whole transaction again.
        public static let serializationFailure = Code(.serializationFailure)
        /// The server broke a deadlock by ending this transaction (40P01): run the whole transaction again.
        public static let deadlock = Code(.deadlock)
        /// A prepared statement fits its tables no longer (0A000 of a cached plan), or is not known to the session any
        /// more (26000, 42P05), within a transaction: run the whole transaction again.
        ///
        /// Outside of transactions the statement is prepared again, and nobody learns of it.
        public static let staleStatement = Code(.staleStatement)
        /// An earlier statement of the transaction failed (25P02): only ROLLBACK is possible.
        public static let transactionAborted = Code(.transactionAborted)
        /// A lock was not free in time (55P03); the connection is fine.
        public static let lockTimeout = Code(.lockTimeout)
        /// Something is in use that the statement needs for itself (55006), such as a database that others are
        /// connected to.
        public static let objectInUse = Code(.objectInUse)
        /// Something has to be put right before this can be done (55000, 25000); the message says what.
        public static let invalidState = Code(.invalidState)
        /// The server stopped the statement, most often because of `statement_timeout` (57014).
        public static let timeout = Code(.timeout)
        /// The server refused the statement for a reason without a code of its own here; see `sqlState`.
        public static let queryFailed = Code(.queryFailed)
        /// The SQL is not valid (class 42 without the cases below).
        public static let invalidStatement = Code(.invalidStatement)
        /// A table, function, database or other object does not exist (42P01, 42883, 42704, 3D000, 3F000).
        public static let undefinedObject = Code(.undefinedObject)
        /// The role may not do this (42501), or may not log in (class 28).
        public static let permissionDenied = Code(.permissionDenied)
        /// A write in a read-only transaction or on a standby (25006).
        public static let readOnly = Code(.readOnly)
        /// A value does not fit its type (class 22).
        public static let invalidData = Code(.invalidData)
        /// A cell could not be turned into the Swift type.
        public static let decodingFailed = Code(.decodingFailed)
        /// The table or the result lacks a column that the model or the statement needs (42703).
        public static let missingColumn = Code(.missingColumn)
        /// A column has another type than the model or the statement expects (42804).
        public static let typeMismatch = Code(.typeMismatch)
        /// A name is empty, too long (63 bytes) or contains NUL.
        public static let invalidIdentifier = Code(.invalidIdentifier)
        /// An argument of the call cannot be used.
        public static let invalidArgument = Code(.invalidArgument)
        /// No row has this key.
        public static let notFound = Code(.notFound)
    }
}
