import Foundation
import NIOCore
import Storages
import StoragesHTTP

/// A checksum over bytes that come piece by piece.
///
/// One owner at a time: not `Sendable`.
struct Checksum {
    private enum State {
        case md5(MD5Hasher)
        case crc32(CyclicRedundancyCheck<UInt32>)
        case crc64(CyclicRedundancyCheck<UInt64>)
        case sha256(SHA256Hasher)
    }

    let algorithm: ChecksumAlgorithm
    private var state: State

    /// Creates a checksum over no bytes yet.
    ///
    /// - Throws: ``StorageError`` with code `unavailable` when libcrypto lacks the algorithm.
    init(_ algorithm: ChecksumAlgorithm) throws {
        self.algorithm = algorithm
        state =
            switch algorithm {
            case .md5: .md5(try MD5Hasher())
            case .crc32: .crc32(.crc32)
            case .crc32c: .crc32(.crc32c)
            case .crc64nvme: .crc64(.crc64nvme)
            case .sha256: .sha256(try SHA256Hasher())
            }
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch state {
        case .md5(let hasher): hasher.update(bytes)
        case .crc32(var check):
            check.update(bytes)
            state = .crc32(check)
        case .crc64(var check):
            check.update(bytes)
            state = .crc64(check)
        case .sha256(let hasher): hasher.update(bytes)
        }
    }

    mutating func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { update($0) }
    }

    private func digest() throws -> [UInt8] {
        switch state {
        case .md5(let hasher): try hasher.finish()
        case .crc32(let check): check.bytes
        case .crc64(let check): check.bytes
        case .sha256(let hasher): try hasher.finish()
        }
    }

    /// Returns the value in base64; to be called once.
    func finish() throws -> ChecksumValue {
        ChecksumValue(algorithm: algorithm, base64: Data(try digest()).base64EncodedString())
    }

    /// Returns the checksum of a body.
    static func value(_ algorithm: ChecksumAlgorithm, of body: HTTPBody) throws -> ChecksumValue {
        var checksum = try Checksum(algorithm)
        for chunk in body.chunks { checksum.update(chunk) }
        return try checksum.finish()
    }
}

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
