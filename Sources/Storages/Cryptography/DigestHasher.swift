import CLibCrypto
package import NIOCore

/// A hash of bytes that come piece by piece.
///
/// One owner at a time: not `Sendable`.
package final class DigestHasher<Algorithm: DigestAlgorithm> {
    private let context: OpaquePointer
    private var isIntact = true

    /// Creates a hasher that has seen no bytes.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto lacks the function.
    package init() throws(StorageError) {
        guard let function = Algorithm.function, let context = EVP_MD_CTX_new() else { throw Algorithm.failure }
        guard EVP_DigestInit_ex2(context, function, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw Algorithm.failure
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

    /// The hash; afterwards the hasher is empty again.
    ///
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto failed.
    package func finish() throws(StorageError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Algorithm.byteCount)
        let isDone = digest.withUnsafeMutableBufferPointer { EVP_DigestFinal_ex(context, $0.baseAddress, nil) == 1 }
        guard isDone, isIntact, EVP_DigestInit_ex2(context, Algorithm.function, nil) == 1 else {
            throw Algorithm.failure
        }
        return digest
    }

    /// The hash of bytes at hand.
    package static func hash(_ bytes: [UInt8]) throws(StorageError) -> [UInt8] {
        guard let function = Algorithm.function else { throw Algorithm.failure }
        var isDone = false
        let digest = [UInt8](unsafeUninitializedCapacity: Algorithm.byteCount) { digest, count in
            isDone = EVP_Digest(bytes, bytes.count, digest.baseAddress, nil, function, nil) == 1
            count = isDone ? Algorithm.byteCount : 0
        }
        guard isDone else { throw Algorithm.failure }
        return digest
    }

    /// The hash of the UTF-8 bytes of a text.
    package static func hash(_ text: String) throws(StorageError) -> [UInt8] {
        try hash(Array(text.utf8))
    }
}
