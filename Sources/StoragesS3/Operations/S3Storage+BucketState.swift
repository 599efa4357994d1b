import Storages

extension S3Storage {
    /// Asks whether the bucket keeps versions; whoever may not know gets ``BucketVersioning/unknown``.
    func askVersioning() async throws -> BucketVersioning {
        try await ask("GetBucketVersioning", "versioning") { VersioningConfiguration($0.body).versioning } ?? .unknown
    }

    /// Asks whether the bucket locks all objects for a time.
    func locksAllObjects() async throws -> Bool {
        try await ask("GetObjectLockConfiguration", "object-lock") { ObjectLockConfiguration($0.body).locksAllObjects }
            ?? false
    }

    /// Asks something about the bucket.
    ///
    /// - Returns: `nil` when the keys may not know it, when there is nothing to know, and when the server does not
    ///   understand.
    private func ask<Value: Sendable>(
        _ name: String,
        _ parameter: String,
        _ read: (HTTPAnswer) -> Value
    ) async throws -> Value? {
        var operation = S3Operation(name, .get)
        operation.query = [(parameter, "")]
        operation.headers = options.objectParameters.accountHeaders
        do {
            return try await client.perform(operation, read)
        } catch let failure as S3Failure where failure.code != "NoSuchBucket" {
            guard let status = failure.status, [400, 403, 404, 405, 501].contains(status) else { throw failure }
            return nil
        }
    }
}
