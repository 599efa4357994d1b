/// A hash function of libcrypto.
package protocol DigestAlgorithm {
    /// The result of `EVP_MD_fetch`, fetched once because a fetch per hash costs more than hashing a small chunk; `nil`
    /// when libcrypto does not have the function.
    static var function: OpaquePointer? { get }
    /// The number of bytes of a hash.
    static var byteCount: Int { get }
    /// The error to throw when libcrypto does not have the function, or fails.
    static var failure: StorageError { get }
}
