import CLibCrypto

/// SHA-256 (FIPS 180-4).
package enum SHA256: DigestAlgorithm {
    // EVP_MD is reference-counted and immutable after EVP_MD_fetch, which the OpenSSL manual declares safe to share
    // between threads.
    nonisolated(unsafe) package static let function: OpaquePointer? = EVP_MD_fetch(nil, "SHA256", nil)
    package static let byteCount = 32
    package static let failure = StorageError(
        .unavailable,
        "libcrypto cannot compute SHA-256. Check the OpenSSL installation and its providers."
    )
}

package typealias SHA256Hasher = DigestHasher<SHA256>
