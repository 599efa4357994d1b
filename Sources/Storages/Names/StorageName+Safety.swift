extension StorageName {
    /// Refuses a name that could leave its storage or disguise itself, however it was made.
    ///
    /// The last check before a name meets a device; storages call it first in every operation. Other normalisation
    /// forms than NFC pass, because a storage may hold names that others wrote, and lists them as they are.
    ///
    /// - Parameter storage: The storage's label, for the error.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName``.
    package func requireSafe(in storage: String) throws {
        guard let violation = StorageName.safetyViolation(in: string) else { return }
        var error = violation.error(for: string)
        error.storage = storage
        throw error
    }

    /// Whether the UTF-8 bytes begin with those of a prefix.
    package func hasPrefix(bytesOf prefix: String) -> Bool {
        string.utf8.starts(with: prefix.utf8)
    }
}
