extension StorageName {
    /// Refuses a name that could leave its storage or disguise itself, however it was made.
    ///
    /// The last check before a name meets a device; storages call it first in every operation. Other normalisation
    /// forms than NFC pass, because a storage may hold names that others wrote, and lists them as they are.
    ///
    /// - Parameter storage: The storage's label, for the error.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/invalidName``.
    package func requireSafe(in storage: String) throws {
        if let error = safetyError(in: storage) { throw error }
    }

    /// The error of ``requireSafe(in:)``; `nil` for a name that is safe.
    package func safetyError(in storage: String) -> StorageError? {
        guard let violation = StorageName.safetyViolation(in: string) else { return nil }
        var error = violation.error(for: string)
        error.storage = storage
        return error
    }

    /// Returns whether the UTF-8 bytes begin with those of a prefix.
    package func hasPrefix(bytesOf prefix: String) -> Bool {
        string.utf8.starts(with: prefix.utf8)
    }
}

extension StorageName {
    /// The prefix of the segments that this library keeps for its own names; these are not listed.
    package static let reservedPrefix = ".stored-files-"

    /// A Boolean value that indicates whether one of the segments has the reserved prefix.
    package var isReserved: Bool {
        let prefix = Self.reservedPrefix.utf8
        var segment = string.utf8[...]
        while true {
            if segment.starts(with: prefix) { return true }
            guard let slash = segment.firstIndex(of: UInt8(ascii: "/")) else { return false }
            segment = segment[segment.index(after: slash)...]
        }
    }
}
