import Storages
import StoragesHTTP

extension S3Storage {
    /// Returns whether the bucket keeps versions; ``BucketVersioning/unknown`` when the server does not say.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
    func askVersioning() async throws -> BucketVersioning {
        try await ask("GetBucketVersioning", "versioning") { VersioningConfiguration($0.body).versioning } ?? .unknown
    }

    /// Returns whether the bucket has a default retention, which locks every new object for a time.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
    func locksAllObjects() async throws -> Bool {
        try await ask("GetObjectLockConfiguration", "object-lock") { ObjectLockConfiguration($0.body).locksAllObjects }
            ?? false
    }

    /// Requests a setting of the bucket.
    ///
    /// - Returns: The setting; `nil` when the credentials may not read it, when it is not set, and when the server does
    ///   not understand the request.
    private func ask<Value: Sendable>(
        _ name: String,
        _ parameter: String,
        _ read: (BufferedResponse) -> Value
    ) async throws -> Value? {
        var operation = S3Operation(name, .get)
        operation.query = [(parameter, "")]
        operation.headers = options.objectParameters.accountHeaders
        do {
            return try await client.perform(operation, read)
        } catch let failure as S3Failure where failure.code != .noSuchBucket {
            guard let status = failure.status, [400, 403, 404, 405, 501].contains(status) else { throw failure }
            return nil
        }
    }
}
