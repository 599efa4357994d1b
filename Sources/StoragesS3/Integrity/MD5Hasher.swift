import CLibCrypto
import NIOCore
import Storages

/// MD5 (RFC 1321), fed piece by piece: a check against accidents, not against people.
///
/// One owner at a time: not `Sendable`.
final class MD5Hasher {
    // EVP_MD is reference-counted and immutable after EVP_MD_fetch, which the OpenSSL manual declares safe to share
    // between threads; fetched once because a fetch per hash costs more than hashing a small chunk.
    nonisolated(unsafe) private static let algorithm: OpaquePointer? = EVP_MD_fetch(nil, "MD5", nil)

    private let context: OpaquePointer
    private var isIntact = true

    /// - Throws: ``StorageError`` with code `unavailable` when libcrypto has no MD5, as under a FIPS policy.
    init() throws(StorageError) {
        guard let algorithm = MD5Hasher.algorithm, let context = EVP_MD_CTX_new() else { throw MD5Hasher.failure }
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw MD5Hasher.failure
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        isIntact = EVP_DigestUpdate(context, base, bytes.count) == 1 && isIntact
    }

    /// The 16 bytes of the hash; afterwards the hasher is empty again.
    func finish() throws(StorageError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 16)
        let isDone = digest.withUnsafeMutableBufferPointer { EVP_DigestFinal_ex(context, $0.baseAddress, nil) == 1 }
        guard isDone, isIntact, EVP_DigestInit_ex2(context, MD5Hasher.algorithm, nil) == 1 else {
            throw MD5Hasher.failure
        }
        return digest
    }

    private static let failure = StorageError(
        .unavailable,
        "libcrypto cannot compute MD5, which S3 wants for deletions of many objects and for keys of its customers. Allow it "
            + "in the OpenSSL configuration (a FIPS policy forbids it)."
    )
}
