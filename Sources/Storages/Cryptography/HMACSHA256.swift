import CLibCrypto
import NIOConcurrencyHelpers

/// HMAC with SHA-256 (RFC 2104), and the comparison that goes with it.
package enum HMACSHA256 {
    /// The 32 bytes that authenticate a message.
    ///
    /// - Parameters:
    ///   - message: The bytes to authenticate.
    ///   - key: The secret; any length.
    /// - Throws: ``StorageError`` with code ``StorageError/Code/unavailable`` when libcrypto failed.
    package static func authenticate(_ message: [UInt8], key: [UInt8]) throws -> [UInt8] {
        let context = try Context.take()
        let code = try context.authenticate(message, key: key)
        // A context that failed is not used again: it is freed with the last reference.
        context.release()
        return code
    }

    /// The 32 bytes that authenticate the UTF-8 bytes of a text.
    package static func authenticate(_ message: String, key: [UInt8]) throws -> [UInt8] {
        try authenticate(Array(message.utf8), key: key)
    }

    /// Returns whether two byte strings are equal, in time that depends on their lengths only.
    package static func isEqual(_ left: [UInt8], to right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        return left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                guard let leftBase = left.baseAddress, let rightBase = right.baseAddress else { return true }
                return CRYPTO_memcmp(leftBase, rightBase, left.count) == 0
            }
        }
    }
}

extension HMACSHA256 {
    /// A context of libcrypto for computing, kept for the next call: making one costs more than a short message.
    ///
    /// Each is used by one call at a time.
    // Unchecked: EVP_MAC_CTX has no lock of its own. A context is in the pool or with the one call that took it out,
    // and the pool's lock orders what different threads do to it.
    private final class Context: @unchecked Sendable {
        // EVP_MAC is reference-counted and immutable after EVP_MAC_fetch, which the OpenSSL manual declares safe to
        // share between threads.
        nonisolated(unsafe) private static let algorithm: OpaquePointer? = EVP_MAC_fetch(nil, "HMAC", nil)
        private static let pool = NIOLockedValueBox<[Context]>([])
        private static let limit = 16

        private let context: OpaquePointer

        private init() throws {
            guard let algorithm = Context.algorithm, let context = EVP_MAC_CTX_new(algorithm) else {
                throw SHA256.failure
            }
            var name = Array("SHA256".utf8CString)
            let isSet = name.withUnsafeMutableBufferPointer { name in
                // A parameter keeps the address of its key, so the key has to live as long as the parameter.
                OSSL_MAC_PARAM_DIGEST.withCString { key in
                    let parameters = [
                        OSSL_PARAM_construct_utf8_string(key, name.baseAddress, 0),
                        OSSL_PARAM_construct_end(),
                    ]
                    return EVP_MAC_CTX_set_params(context, parameters) == 1
                }
            }
            guard isSet else {
                EVP_MAC_CTX_free(context)
                throw SHA256.failure
            }
            self.context = context
        }

        deinit {
            EVP_MAC_CTX_free(context)
        }

        static func take() throws -> Context {
            try pool.withLockedValue { $0.popLast() } ?? Context()
        }

        func release() {
            Context.pool.withLockedValue { pool in
                if pool.count < Context.limit { pool.append(self) }
            }
        }

        func authenticate(_ message: [UInt8], key: [UInt8]) throws -> [UInt8] {
            // A null key means "the key of the last call", so an empty one must still have an address: RFC 2104 fills
            // keys up with zeros, so that one zero is the same key.
            let key = key.isEmpty ? [0] : key
            var isDone = false
            let code = [UInt8](unsafeUninitializedCapacity: 32) { code, count in
                isDone =
                    EVP_MAC_init(context, key, key.count, nil) == 1
                    && EVP_MAC_update(context, message, message.count) == 1
                    && EVP_MAC_final(context, code.baseAddress, &count, 32) == 1
                    && count == 32
                if !isDone { count = 0 }
            }
            guard isDone else { throw SHA256.failure }
            return code
        }
    }
}
