/// The permissions of an object, in one word.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl>
///
/// Many buckets have ACLs switched off and refuse any word but ``private`` and ``bucketOwnerFullControl``.
public enum S3CannedACL: String, Hashable, Sendable, CaseIterable {
    /// The owner only.
    case `private` = "private"
    /// Everybody reads.
    case publicRead = "public-read"
    /// Everybody reads and writes.
    case publicReadWrite = "public-read-write"
    /// Everybody with an account reads.
    case authenticatedRead = "authenticated-read"
    /// Amazon EC2 reads, to start machines from the object.
    case awsExecRead = "aws-exec-read"
    /// The owner of the bucket reads.
    case bucketOwnerRead = "bucket-owner-read"
    /// The owner of the bucket has all permissions.
    case bucketOwnerFullControl = "bucket-owner-full-control"
}
