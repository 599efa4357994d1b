import CLibCrypto

/// HMAC with SHA-256 (RFC 2104), and the comparison that goes with it.
package enum HMACSHA256 {
    /// The 32 bytes that authenticate a message.
    ///
    /// - Parameters:
    ///   - message: The bytes to authenticate.
    ///   - key: The secret; any length.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto failed.
    package static func authenticate(_ message: [UInt8], key: [UInt8]) throws -> [UInt8] {
        // HMAC() takes a NULL key for "the key of the last call", so an empty key must still have an address.
        let key = key.isEmpty ? [0] : key
        var code = [UInt8](repeating: 0, count: 32)
        let isDone = code.withUnsafeMutableBufferPointer { code in
            message.withUnsafeBufferPointer { message in
                key.withUnsafeBytes { key in
                    stored_files_hmac_sha256(
                        SHA256Hasher.algorithm,
                        key.baseAddress,
                        key.count,
                        message.baseAddress,
                        message.count,
                        code.baseAddress
                    )
                }
            }
        }
        guard SHA256Hasher.algorithm != nil, isDone == 1 else { throw SHA256Hasher.failure() }
        return code
    }

    /// The 32 bytes that authenticate the UTF-8 bytes of a text.
    package static func authenticate(_ message: String, key: [UInt8]) throws -> [UInt8] {
        try authenticate(Array(message.utf8), key: key)
    }

    /// Whether two byte strings are equal, in time that depends on their lengths only.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
                return CRYPTO_memcmp(leftBase, rightBase, left.count) == 0
            }
        }
    }
}
