/// An algorithm of S3 for the checksum of an object.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
enum ChecksumAlgorithm: Hashable, Sendable, CaseIterable {
    case md5
    case crc32
    case crc32c
    case crc64nvme
    case sha256

    /// The name of the header that carries the value.
    var headerName: String {
        switch self {
        case .md5: "Content-MD5"
        case .crc32: "x-amz-checksum-crc32"
        case .crc32c: "x-amz-checksum-crc32c"
        case .crc64nvme: "x-amz-checksum-crc64nvme"
        case .sha256: "x-amz-checksum-sha256"
        }
    }

    /// The name in the header `x-amz-checksum-algorithm`; MD5 has none.
    var name: String? {
        switch self {
        case .md5: nil
        case .crc32: "CRC32"
        case .crc32c: "CRC32C"
        case .crc64nvme: "CRC64NVME"
        case .sha256: "SHA256"
        }
    }

    /// The name of the element for a part's value in CompleteMultipartUpload; MD5 has none.
    var elementName: String? { name.map { "Checksum" + $0 } }

    /// A Boolean value that indicates whether the checksum of a multipart upload is one over all its bytes, rather than
    /// over the parts' checksums: what is linear can be put together, what is a hash cannot.
    var coversWholeObjects: Bool { self != .sha256 && self != .md5 }
}

/// An algorithm and the value of a checksum.
struct ChecksumValue: Hashable, Sendable {
    var algorithm: ChecksumAlgorithm
    /// The bytes of the checksum, most significant first, in base64.
    var base64: String

    /// The header that carries the checksum of a body.
    var headers: HTTPHeaders { [algorithm.headerName: base64] }
}
