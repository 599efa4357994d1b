/// A provider of keys that were given as such.
struct StaticCredentialProvider: S3CredentialProvider {
    private let set: S3Credentials

    init(_ credentials: S3Credentials) {
        set = credentials
    }

    /// Creates a provider from three options, of which none or a whole pair must be given.
    ///
    /// - Returns: `nil` when none is given.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for half a pair, a token alone, or keys that cannot
    ///   be right.
    init?(accessKeyID: String?, secretAccessKey: String?, sessionToken: String?) throws {
        guard accessKeyID != nil || secretAccessKey != nil || sessionToken != nil else { return nil }
        set = try S3Credentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: sessionToken,
            expiration: nil,
            from: "the options of the storage"
        )
    }

    func credentials() async throws -> S3Credentials? { set }
}
