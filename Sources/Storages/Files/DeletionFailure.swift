/// A name that a deletion of many could not delete, with the error.
public struct DeletionFailure: Sendable, CustomStringConvertible {
    /// The name that may still exist.
    public var name: StorageName
    /// The reason why it could not be deleted.
    public var error: StorageError

    /// Creates a failure.
    ///
    /// - Parameters:
    ///   - name: The name that may still exist.
    ///   - error: Why it could not be deleted.
    public init(name: StorageName, error: StorageError) {
        self.name = name
        self.error = error
    }

    /// The name and the reason; safe to log.
    public var description: String { "\(name): \(error)" }
}
