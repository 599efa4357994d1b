/// A hash function of libcrypto.
package protocol DigestAlgorithm {
    /// What `EVP_MD_fetch` gave, fetched once because a fetch per hash costs more than hashing a small chunk; `nil`
    /// when libcrypto does not have the function.
    static var function: OpaquePointer? { get }
    /// The bytes of a hash.
    static var byteCount: Int { get }
    /// What is thrown when libcrypto does not have the function, or fails.
    static var failure: StorageError { get }
}
