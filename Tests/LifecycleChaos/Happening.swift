/// A kind of event that is counted: in a long run none may be missing, because what never happened was not tried.
enum Happening: String, CaseIterable, Sendable {
    // What writers do, with models.
    case insert, insertInTransaction, insertAfterStore, replace, clear, deleteOne, rollback, savepoint, copy, storeTwice
    case picture, movePicture, cancel, dawdle, read
    // And with statements of their own.
    case deleteMany, cascade, cteMove, insertThenDelete, deleteThenInsert, swapColumns, swapRows, movePartition
    case merge, mergeAway, truncate, truncateRefused, conflictUpdate, conflictNothing, copyFrom
    case bulkInsert, bulkDelete, purge, reinsert, reinsertRefused, overtake, prepared
    // What they meet.
    case serializationFailure, objectInUse, connectionLost, outcomeUnknown, deadlock, uniqueViolation, lockTimeout
    case staleStatement, storageFailure, expired, missing, otherUpheaval, refusal
    // What reapers do.
    case reaped, revived, forgotten, deletionFailed
    // What is done to them all.
    case writerKilled, reaperKilled, writerDied, reaperDied, writerPaused, reaperPaused
    case serverFast, serverImmediate, serverKilled, backendKilled, sessionsEnded, serverCrashedAfterDeletion
    case weatherDown, weatherLost, weatherFlaky, weatherSlow, weatherLate
    case renameTable, renameColumn, detachPartition, addPartition, dropPartition, dropColumn, dropTable, swapTables
    case replaceTable, changeType, byMigration, byStatement, refusalSeen, bareOrphan
    case checkpoint

    /// The happenings that need not occur in every run, because they take luck.
    private static let lucky: Set<Happening> = [
        .outcomeUnknown, .deadlock, .lockTimeout, .staleStatement, .refusal, .uniqueViolation, .missing,
        .bareOrphan,
    ]

    static var required: [Happening] { allCases.filter { !lucky.contains($0) } }
}
