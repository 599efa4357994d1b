/// A key in a storage that no file can have as its name.
///
/// Others have written it, and this library can neither read nor delete what it names.
/// Listings pass such keys over, see ``FileListing/reportingForeignKeys(to:during:isolation:)``.
public struct ForeignKey: Hashable, Sendable, CustomStringConvertible {
    /// The bytes of the key, which need not be UTF-8.
    public let bytes: [UInt8]
    /// The reason why the key is no valid name, in the words of the error for such a name.
    public let reason: String

    /// Looks whether a key can be the name of a file; for authors of storages.
    ///
    /// - Parameter bytes: The key.
    /// - Returns: `nil` when it can.
    public init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            self.bytes = bytes
            reason = "It is not UTF-8."
            return
        }
        guard let violation = StorageName.safetyViolation(in: text) else { return nil }
        self.bytes = bytes
        reason = violation.error(for: text).message
    }

    /// The key in quotes, controls and what is not UTF-8 made visible, and the reason.
    public var description: String {
        "\(StorageError.quoted(String(decoding: bytes, as: UTF8.self))): \(reason)"
    }
}

extension FileListing {
    /// Does some work, and tells of the keys that listings pass over meanwhile because no file can have such a name.
    ///
    /// They are not UTF-8, have control characters, `..` or an empty segment, begin or end with a slash, are too long,
    /// or break another rule of ``StorageName``. They are told of in the order of the listing, each time they are
    /// listed.
    ///
    /// - Parameters:
    ///   - report: Gets each key, in the task that iterates.
    ///   - work: What lists.
    ///   - isolation: The actor to stay on. Default: the caller's.
    /// - Returns: What `work` returns.
    /// - Throws: What `work` throws.
    public static func reportingForeignKeys<Result>(
        to report: @escaping @Sendable (ForeignKey) -> Void,
        during work: () async throws -> Result,
        isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Result {
        try await $onForeignKey.withValue(report, operation: work)
    }
}
