import Foundation
import Storages
import StoragesHTTP

/// The encryption of an object at rest.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>
public enum S3Encryption: Hashable, Sendable {
    /// Encryption with keys of the server's own.
    case aes256
    /// Encryption with a key of the key management service.
    ///
    /// - Parameters:
    ///   - keyID: The id or ARN of the key. `nil` for the account's default.
    ///   - context: The encryption context, which the key's policy may ask for. Empty for none.
    ///   - usesBucketKey: Whether a key of the bucket saves requests to the service. `nil` for the bucket's setting.
    case kms(keyID: String? = nil, context: [String: String] = [:], usesBucketKey: Bool? = nil)
    /// Double encryption with a key of the key management service.
    ///
    /// - Parameters:
    ///   - keyID: The id or ARN of the key. `nil` for the account's default.
    ///   - context: The encryption context, which the key's policy may ask for. Empty for none.
    case doubleKMS(keyID: String? = nil, context: [String: String] = [:])
    /// Encryption with a key that goes along with every request for the object; refused over plain HTTP.
    case customerKey(S3CustomerKey)

    var customerKey: S3CustomerKey? {
        if case .customerKey(let key) = self { key } else { nil }
    }

    /// The headers of a request that creates an object.
    var headers: HTTPHeaders {
        get throws {
            switch self {
            case .aes256:
                return ["x-amz-server-side-encryption": "AES256"]
            case .kms(let keyID, let context, let usesBucketKey):
                var headers = try S3Encryption.kmsHeaders("aws:kms", keyID: keyID, context: context)
                headers["x-amz-server-side-encryption-bucket-key-enabled"] = usesBucketKey.map { $0 ? "true" : "false" }
                return headers
            case .doubleKMS(let keyID, let context):
                return try S3Encryption.kmsHeaders("aws:kms:dsse", keyID: keyID, context: context)
            case .customerKey(let key):
                return key.headers()
            }
        }
    }

    private static func kmsHeaders(_ name: String, keyID: String?, context: [String: String]) throws -> HTTPHeaders {
        var headers: HTTPHeaders = ["x-amz-server-side-encryption": name]
        headers["x-amz-server-side-encryption-aws-kms-key-id"] = keyID
        if !context.isEmpty {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            headers["x-amz-server-side-encryption-context"] = try encoder.encode(context).base64EncodedString()
        }
        return headers
    }
}
