import StoragesHTTP

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

/// The checksums that go with uploads and downloads.
struct IntegrityPolicy: Hashable, Sendable {
    /// The checksum of uploaded bytes; `nil` for none.
    var uploads: ChecksumAlgorithm?
    /// A Boolean value that indicates whether the server is asked for the checksum of a whole object that is
    /// downloaded.
    var verifiesDownloads: Bool

    /// Creates the policy of a setting.
    ///
    /// - Parameters:
    ///   - setting: The setting of the user.
    ///   - profile: The profile of the server, which decides what `auto` stands for.
    ///   - environment: `AWS_REQUEST_CHECKSUM_CALCULATION` and `AWS_RESPONSE_CHECKSUM_VALIDATION` may say
    ///     `when_required`, which turns off what `auto` turns on.
    init(_ setting: S3Integrity, profile: EndpointProfile, environment: [String: String] = [:]) {
        func isWanted(_ name: String) -> Bool { environment[name]?.lowercased() != "when_required" }
        uploads =
            switch setting {
            case .auto: isWanted("AWS_REQUEST_CHECKSUM_CALCULATION") ? profile.defaultChecksum : nil
            case .none: nil
            case .md5: .md5
            case .crc32: .crc32
            case .crc32c: .crc32c
            case .crc64nvme: .crc64nvme
            case .sha256: .sha256
            }
        verifiesDownloads =
            switch setting {
            case .none, .md5: false
            case .auto: profile.defaultChecksum != nil && isWanted("AWS_RESPONSE_CHECKSUM_VALIDATION")
            case .crc32, .crc32c, .crc64nvme, .sha256: true
            }
    }

    /// Returns the header for an object or a part that is uploaded.
    func uploadHeaders(for body: HTTPBody) throws -> HTTPHeaders {
        try uploads.map { try Checksum.value($0, of: body).headers } ?? [:]
    }

    /// The headers of CreateMultipartUpload.
    var createMultipartHeaders: HTTPHeaders {
        guard let uploads, let name = uploads.name else { return [:] }
        return [
            "x-amz-checksum-algorithm": name,
            "x-amz-checksum-type": uploads.coversWholeObjects ? "FULL_OBJECT" : "COMPOSITE",
        ]
    }

    /// The header of CompleteMultipartUpload that repeats the type of the parts' checksums.
    var completeMultipartHeaders: HTTPHeaders {
        createMultipartHeaders["x-amz-checksum-type"].map { ["x-amz-checksum-type": $0] } ?? [:]
    }

    /// The header of GetObject, when the whole object is wanted.
    var downloadHeaders: HTTPHeaders {
        verifiesDownloads ? ["x-amz-checksum-mode": "ENABLED"] : [:]
    }

    /// Returns `Content-MD5` for a body that S3 wants it for, whatever the setting: DeleteObjects, and uploads under a
    /// lock.
    static func contentMD5(of body: HTTPBody) throws -> HTTPHeaders {
        try Checksum.value(.md5, of: body).headers
    }
}
