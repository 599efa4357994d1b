import Storages
import StoragesHTTP

extension S3Storage {
    /// Creates the bucket unless it exists, for tests and development.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/permissionDenied`` when that is not allowed, or the
    ///   bucket belongs to another account.
    public func createBucketIfMissing() async throws {
        try await reporting {
            do {
                try await client.perform(S3Operation("HeadBucket", .head)) { try $0.requireDone() }
                return
            } catch let failure as S3Failure where failure.isNotFound {
                // It is made below.
            }
            var operation = S3Operation("CreateBucket", .put)
            let region = client.addressing.region
            if client.profile.kind == .aws, region != .usEast1 {
                operation = operation.document(CreateBucketBody.make(region: region.name))
            }
            do {
                try await client.perform(operation) { try $0.requireDone() }
            } catch let failure as S3Failure where failure.code == .bucketAlreadyOwnedByYou {
                // Another process created it meanwhile.
            }
        }
    }
}

extension S3Storage {
    /// Returns whether the bucket keeps versions; ``BucketVersioning/unknown`` when the server does not say.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
    func fetchVersioning() async throws -> BucketVersioning {
        let operation = S3Operation("GetBucketVersioning", .get).query("versioning")
        return try await setting(operation) { VersioningConfiguration($0.body).versioning } ?? .unknown
    }

    /// Returns whether the bucket has a default retention, which locks every new object for a time.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLockConfiguration.html>
    func locksAllObjects() async throws -> Bool {
        let operation = S3Operation("GetObjectLockConfiguration", .get).query("object-lock")
        return try await setting(operation) { ObjectLockConfiguration($0.body).locksAllObjects } ?? false
    }

    /// Requests a setting of the bucket.
    ///
    /// - Parameters:
    ///   - operation: The request, without the headers that all requests have.
    ///   - read: Reads the setting out of the response.
    /// - Returns: The setting; `nil` when the credentials may not read it, when it is not set, and when the server does
    ///   not understand the request.
    private func setting<Value: Sendable>(
        _ operation: S3Operation,
        _ read: (BufferedResponse) -> Value
    ) async throws -> Value? {
        do {
            return try await client.perform(operation.headers(options.objectParameters.accountHeaders), read)
        } catch let failure as S3Failure where !failure.isMissingBucket {
            guard let status = failure.status, [400, 403, 404, 405, 501].contains(status) else { throw failure }
            return nil
        }
    }
}
