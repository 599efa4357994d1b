import StoragesHTTP

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
        guard let uploads else { return [:] }
        let value = try Checksum.value(uploads, of: body)
        return [uploads.headerName: value.base64]
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
        [ChecksumAlgorithm.md5.headerName: try Checksum.value(.md5, of: body).base64]
    }
}
