/// Which checks go with uploads and downloads.
struct IntegrityPolicy: Hashable, Sendable {
    /// The check of uploaded bytes; `nil` for none.
    var uploads: ChecksumAlgorithm?
    /// Whether the server is asked for the check of a whole object that is downloaded.
    var verifiesDownloads: Bool

    /// Applies the setting.
    ///
    /// - Parameters:
    ///   - setting: What the user wants.
    ///   - profile: What `auto` stands for.
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

    /// The field for an object or a part that is uploaded.
    func uploadHeaders(for body: HTTPBody) throws -> HTTPHeaders {
        guard let uploads else { return [:] }
        let value = try Checksum.value(uploads, of: body)
        return [uploads.headerName: value.base64]
    }

    /// The fields for CreateMultipartUpload.
    var createMultipartHeaders: HTTPHeaders {
        guard let uploads, let name = uploads.name else { return [:] }
        return [
            "x-amz-checksum-algorithm": name,
            "x-amz-checksum-type": uploads.coversWholeObjects ? "FULL_OBJECT" : "COMPOSITE",
        ]
    }

    /// The field of CompleteMultipartUpload that repeats what the checks of the parts are.
    var completeMultipartHeaders: HTTPHeaders {
        createMultipartHeaders["x-amz-checksum-type"].map { ["x-amz-checksum-type": $0] } ?? [:]
    }

    /// The field for GetObject, when the whole object is wanted.
    var downloadHeaders: HTTPHeaders {
        verifiesDownloads ? ["x-amz-checksum-mode": "ENABLED"] : [:]
    }

    /// `Content-MD5` for a body that S3 wants it for, whatever the setting: DeleteObjects, and uploads under a lock.
    static func contentMD5(of body: HTTPBody) throws -> HTTPHeaders {
        [ChecksumAlgorithm.md5.headerName: try Checksum.value(.md5, of: body).base64]
    }
}
