/// A source of credentials.
public protocol S3CredentialProvider: Sendable {
    /// Fetches credentials anew; the caller keeps them until shortly before they expire, and never calls it twice at
    /// the same time.
    ///
    /// - Returns: A whole set, or `nil` when this provider is not configured here, and the next one is to be asked.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for settings that are wrong, `permissionDenied` or
    ///   `unavailable` when a service refuses or does not respond; `CancellationError`.
    func credentials() async throws -> S3Credentials?
}
