/// The checksum that accompanies uploaded bytes, so that the server can refuse damaged ones.
///
/// TLS protects bytes on their way. A checksum protects against the rest: a proxy's memory, a defect on either side.
/// Servers other than Amazon's often ignore the headers of Amazon's checksums silently; `Content-MD5` is what most of
/// them verify.
public enum S3Integrity: String, Hashable, Sendable, CaseIterable {
    /// CRC-32 for Amazon S3; for other servers no checksum beyond the signature, which covers the bytes over plain
    /// HTTP.
    case auto
    /// No checksum beyond the signature.
    case none
    /// MD5 in `Content-MD5`; about 350 MB/s on one core.
    case md5
    /// CRC-32 in `x-amz-checksum-crc32`.
    case crc32
    /// CRC-32C in `x-amz-checksum-crc32c`.
    case crc32c
    /// CRC-64/NVME in `x-amz-checksum-crc64nvme`.
    case crc64nvme
    /// SHA-256 in `x-amz-checksum-sha256`.
    case sha256
}
