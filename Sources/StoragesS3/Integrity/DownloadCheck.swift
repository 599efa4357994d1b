import NIOCore

/// Checks the bytes of a whole object against what the server says of them.
///
/// One owner at a time: not `Sendable`.
struct DownloadCheck {
    private static let candidates: [ChecksumAlgorithm] = [.crc64nvme, .crc32c, .crc32, .sha256]

    private var checksum: Checksum
    private let expected: String

    /// Looks for a check that can be made.
    ///
    /// - Parameters:
    ///   - headers: The fields of an answer with the whole object: a range has no check.
    /// - Returns: `nil` when there is none, or only one over the checks of parts.
    init?(_ headers: HTTPHeaders) throws {
        guard headers["x-amz-checksum-type"]?.uppercased() != "COMPOSITE", headers["Content-Range"] == nil else {
            return nil
        }
        for algorithm in DownloadCheck.candidates {
            // `-7` at the end: over the checks of seven parts.
            guard let value = headers[algorithm.headerName], !value.isEmpty, !value.contains("-") else { continue }
            expected = value
            checksum = try Checksum(algorithm)
            return
        }
        return nil
    }

    var algorithm: ChecksumAlgorithm { checksum.algorithm }

    mutating func update(_ buffer: ByteBuffer) {
        checksum.update(buffer)
    }

    /// Whether the bytes are those that the server speaks of; to be called once, after the last of them.
    func finish() throws -> Bool {
        try checksum.finish().base64 == expected
    }
}
