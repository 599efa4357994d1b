import CLibCrypto
package import NIOCore

/// SHA-256 (FIPS 180-4), fed piece by piece.
///
/// One owner at a time: not `Sendable`.
package final class SHA256Hasher {
    // EVP_MD is reference-counted and immutable after EVP_MD_fetch, which the OpenSSL manual declares safe to share
    // between threads; fetched once because a fetch per hash costs more than hashing a small chunk.
    nonisolated(unsafe) static let algorithm: OpaquePointer? = EVP_MD_fetch(nil, "SHA256", nil)

    private let context: OpaquePointer
    private var isIntact = true

    /// Creates a hasher that has seen no bytes.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto has no SHA-256 to give.
    package init() throws {
        guard let algorithm = SHA256Hasher.algorithm, let context = EVP_MD_CTX_new() else {
            throw SHA256Hasher.failure()
        }
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw SHA256Hasher.failure()
        }
        self.context = context
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Takes in bytes.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        isIntact = EVP_DigestUpdate(context, base, bytes.count) == 1 && isIntact
    }

    /// Takes in the readable bytes of a buffer.
    package func update(_ buffer: ByteBuffer) {
        buffer.withUnsafeReadableBytes { update($0) }
    }

    /// Takes in bytes.
    package func update(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { update($0) }
    }

    /// The 32 bytes of the hash; afterwards the hasher is empty again.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto failed.
    package func finish() throws -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        let isDone = digest.withUnsafeMutableBufferPointer { EVP_DigestFinal_ex(context, $0.baseAddress, nil) == 1 }
        guard isDone, isIntact, EVP_DigestInit_ex2(context, SHA256Hasher.algorithm, nil) == 1 else {
            throw SHA256Hasher.failure()
        }
        return digest
    }

    /// The hash of bytes at hand.
    package static func hash(_ bytes: [UInt8]) throws -> [UInt8] {
        guard let algorithm else { throw failure() }
        var isDone = false
        let digest = [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            isDone = EVP_Digest(bytes, bytes.count, digest.baseAddress, nil, algorithm, nil) == 1
            count = isDone ? 32 : 0
        }
        guard isDone else { throw failure() }
        return digest
    }

    /// The hash of the UTF-8 bytes of a text.
    package static func hash(_ text: String) throws -> [UInt8] {
        try hash(Array(text.utf8))
    }

    static func failure() -> StorageError {
        StorageError(
            .unavailable,
            "libcrypto cannot compute SHA-256. Check the OpenSSL installation and its providers."
        )
    }
}
