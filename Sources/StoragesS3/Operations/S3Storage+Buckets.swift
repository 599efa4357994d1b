import Storages
import StoragesHTTP

extension S3Storage {
    /// Creates the bucket unless it exists: for tests and development; elsewhere buckets are set up by whoever runs
    /// them.
    ///
    /// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html>
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/permissionDenied`` when that is not allowed, or the
    ///   bucket is somebody else's.
    public func createBucketIfMissing() async throws {
        try await reporting {
            do {
                try await client.perform(S3Operation("HeadBucket", .head)) { try $0.requireDone() }
                return
            } catch let failure as S3Failure where failure.status == 404 {
                // It is made below.
            }
            var operation = S3Operation("CreateBucket", .put)
            let region = client.addressing.region
            if client.profile.kind == .aws, region != .usEast1 {
                operation.body = HTTPBody(
                    "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                        + "<LocationConstraint>\(region)</LocationConstraint></CreateBucketConfiguration>"
                )
                operation.headers.append("Content-Type", "application/xml")
                operation.signsBody = true
            }
            do {
                try await client.perform(operation) { try $0.requireDone() }
            } catch let failure as S3Failure where failure.code == .bucketAlreadyOwnedByYou {
                // Another process created it meanwhile.
            }
        }
    }
}
