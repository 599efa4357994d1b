import NIOCore
import StoragesHTTP

/// Checks the bytes of a whole object against the checksum that the server has of them.
///
/// One owner at a time: not `Sendable`.
struct DownloadCheck {
    private static let candidates: [ChecksumAlgorithm] = [.crc64nvme, .crc32c, .crc32, .sha256]

    private var checksum: Checksum
    private let expected: String

    /// Creates a check for the headers of a response, where one can be made.
    ///
    /// - Parameters:
    ///   - headers: The headers of a response with the whole object: a range has no checksum.
    /// - Returns: `nil` when there is no checksum, or only one over the checksums of parts.
    init?(_ headers: HTTPHeaders) throws {
        guard headers["x-amz-checksum-type"]?.uppercased() != "COMPOSITE", headers["Content-Range"] == nil else {
            return nil
        }
        for algorithm in DownloadCheck.candidates {
            // `-7` at the end: over the checksums of seven parts.
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

    /// Returns whether the bytes match the server's checksum; to be called once, after the last of them.
    func finish() throws -> Bool {
        try checksum.finish().base64 == expected
    }
}
