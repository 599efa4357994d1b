import CLibCrypto

/// A private RSA key; never printed.
package final class RSAPrivateKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    // EVP_PKEY is not changed after it was read, and OpenSSL locks what signing computes with it for the first time:
    // the manual of OpenSSL's threads allows reading calls at the same time.
    nonisolated(unsafe) private let key: OpaquePointer

    /// Reads a key.
    ///
    /// - Parameter pem: PKCS #1 (`BEGIN RSA PRIVATE KEY`) or PKCS #8 (`BEGIN PRIVATE KEY`), not encrypted.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for anything else; the text is not in the message.
    package init(pem: String) throws {
        let bytes = Array(pem.utf8)
        let key: OpaquePointer? = bytes.withUnsafeBytes { bytes in
            guard let count = Int32(exactly: bytes.count), let source = BIO_new_mem_buf(bytes.baseAddress, count) else {
                return nil
            }
            defer { BIO_free(source) }
            // Without a callback of ours OpenSSL would ask the terminal for the password of an encrypted key.
            return PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let key else {
            ERR_clear_error()
            throw StorageError(
                .invalidConfiguration,
                "The private key cannot be read. Give an RSA key in PEM that is not encrypted, with its first and "
                    + "last lines."
            )
        }
        guard EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA else {
            EVP_PKEY_free(key)
            throw StorageError(.invalidConfiguration, "The private key is no RSA key. Give one of RSA.")
        }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// The signature with SHA-1 and the padding of PKCS #1 version 1.5, about a millisecond of computing.
    ///
    /// - Throws: ``StorageError`` with code `unavailable` when libcrypto failed, as some do that were told to have no
    ///   SHA-1.
    package func signatureWithSHA1(of message: String) throws -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw RSAPrivateKey.failure() }
        defer { EVP_MD_CTX_free(context) }
        let message = Array(message.utf8)
        let capacity = Int(EVP_PKEY_get_size(key))
        var isDone = false
        let signature = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            var length = capacity
            isDone =
                EVP_DigestSignInit_ex(context, nil, "SHA1", nil, nil, key, nil) == 1
                && EVP_DigestSign(context, buffer.baseAddress, &length, message, message.count) == 1
            count = isDone ? length : 0
        }
        guard isDone else { throw RSAPrivateKey.failure() }
        return signature
    }

    package var description: String { "RSAPrivateKey(…)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: [:]) }

    private static func failure() -> StorageError {
        // What other calls left in the thread's queue must not be taken for theirs.
        ERR_clear_error()
        return StorageError(
            .unavailable,
            "libcrypto cannot sign with RSA and SHA-1. Check the OpenSSL installation and its policy for SHA-1."
        )
    }
}
