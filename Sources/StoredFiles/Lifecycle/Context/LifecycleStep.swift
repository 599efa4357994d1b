/// A step in the life of a file at which a process can end; for tests that end it there.
package enum LifecycleStep: String, CaseIterable, Sendable {
    /// The name is in the journal, its upload has not begun.
    case reserved
    /// The object is complete, no row names it yet.
    case uploaded
    /// Names are marked as being deleted.
    case marked
    /// Names are leased for deletion, and no row names them.
    case taken
    /// The objects are deleted, the journal does not know it yet.
    case deleted
    /// The journal has tombstones for the deleted objects.
    case tombstoned
    /// The objects of old tombstones are deleted once more, the tombstones are still there.
    case deletedAgain
}
