/// The way in which an upload proceeds when its name is taken.
public enum IfExists: Hashable, Sendable {
    /// Keep both: a random suffix is added to the new file's name, atomically.
    case rename
    /// Throw ``StorageError/Code/alreadyExists`` and leave the old file alone.
    case fail
    /// Put the new file in the place of the old one; readers see one or the other whole.
    case replace
}
