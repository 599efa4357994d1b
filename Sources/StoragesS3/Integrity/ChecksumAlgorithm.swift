/// A check over the bytes of an object that S3 knows.
enum ChecksumAlgorithm: Hashable, Sendable, CaseIterable {
    case md5
    case crc32
    case crc32c
    case crc64nvme
    case sha256

    /// The field that carries the value.
    var headerName: String {
        switch self {
        case .md5: "Content-MD5"
        case .crc32: "x-amz-checksum-crc32"
        case .crc32c: "x-amz-checksum-crc32c"
        case .crc64nvme: "x-amz-checksum-crc64nvme"
        case .sha256: "x-amz-checksum-sha256"
        }
    }

    /// The name in the field `x-amz-checksum-algorithm`; MD5 has none.
    var name: String? {
        switch self {
        case .md5: nil
        case .crc32: "CRC32"
        case .crc32c: "CRC32C"
        case .crc64nvme: "CRC64NVME"
        case .sha256: "SHA256"
        }
    }

    /// The element for a part's value in CompleteMultipartUpload; MD5 has none.
    var elementName: String? { name.map { "Checksum" + $0 } }

    /// Whether the check of an object that was uploaded in parts is one over all its bytes, rather than over the parts'
    /// checks: what is linear can be put together, what is a hash cannot.
    var coversWholeObjects: Bool { self != .sha256 && self != .md5 }
}

/// A check and its value.
struct ChecksumValue: Hashable, Sendable {
    var algorithm: ChecksumAlgorithm
    /// The bytes, most significant first, in base64.
    var base64: String
}
