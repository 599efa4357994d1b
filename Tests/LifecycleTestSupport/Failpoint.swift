/// A point at which the worker kills itself, so that no handler and no destructor runs.
package enum Failpoint: String, CaseIterable, Sendable {
    case reserved, uploading, uploaded, written, committed, replaced, rowDeleted, rolledBack
    case marked, taken, deleted, tombstoned, deletedAgain
}
