import CLibCrypto

/// MD5 (RFC 1321): a check against accidents, not against people.
package enum MD5: DigestAlgorithm {
    // EVP_MD is reference-counted and immutable after EVP_MD_fetch, which the OpenSSL manual declares safe to share
    // between threads.
    nonisolated(unsafe) package static let function: OpaquePointer? = EVP_MD_fetch(nil, "MD5", nil)
    package static let byteCount = 16
    package static let failure = StorageError(
        .unavailable,
        "libcrypto cannot compute MD5, which S3 wants for deletions of many objects and for keys of its customers. "
            + "Allow it in the OpenSSL configuration (a FIPS policy forbids it)."
    )
}

package typealias MD5Hasher = DigestHasher<MD5>
