import Foundation
import Storages
import StoragesHTTP

/// A key of 256 bits that the server encrypts an object with, and forgets: without it the object cannot be read again.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html>
///
/// Neither its description nor `dump` shows the key.
public struct S3CustomerKey: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let base64: String
    let md5: String

    /// Creates a key from its bytes.
    ///
    /// - Parameter bytes: 32 random bytes.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for another number of bytes, `unavailable` when
    ///   libcrypto has no MD5, which the server wants of the key.
    public init(_ bytes: [UInt8]) throws {
        guard bytes.count == 32 else {
            throw StorageError(
                .invalidConfiguration,
                "The customer key has \(bytes.count) bytes. Give 32 random bytes, in base64 44 characters."
            )
        }
        base64 = Data(bytes).base64EncodedString()
        md5 = Data(try MD5Hasher.hash(bytes)).base64EncodedString()
    }

    /// Creates a key from its bytes in base64.
    ///
    /// - Parameter base64: 32 random bytes in base64.
    /// - Throws: As ``init(_:)``, also for text that is no base64.
    public init(base64: String) throws {
        guard let bytes = Data(base64Encoded: base64) else {
            throw StorageError(
                .invalidConfiguration,
                "The customer key is not in base64. Give 32 random bytes in base64."
            )
        }
        try self.init(Array(bytes))
    }

    /// A text without the key.
    public var description: String { "S3CustomerKey(…)" }

    /// As ``description``.
    public var debugDescription: String { description }

    /// A mirror without the key.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection<Mirror.Child>()) }

    /// Returns the three headers for a request.
    ///
    /// - Parameter isForSource: Whether the key is the one of an object that is copied.
    func headers(isForSource: Bool = false) -> HTTPHeaders {
        let prefix = (isForSource ? "x-amz-copy-source-" : "x-amz-") + "server-side-encryption-customer-"
        return [prefix + "algorithm": "AES256", prefix + "key": base64, prefix + "key-MD5": md5]
    }
}
