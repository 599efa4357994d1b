import Foundation
import Storages

/// Signs URLs of a CloudFront distribution.
///
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-signed-urls.html>
struct CloudFrontSigner: Sendable {
    private let keyID: String
    private let key: RSAPrivateKey

    /// Makes a signer.
    ///
    /// - Parameters:
    ///   - keyID: The id of the public key in the distribution's key group.
    ///   - privateKey: Its private key in PEM, RSA, not encrypted.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a key that cannot be read, or an id with other
    ///   than ASCII letters and digits.
    init(keyID: String, privateKey: String) throws {
        guard !keyID.isEmpty, PercentEncoding.encode(component: keyID) == keyID else {
            throw StorageError(
                .invalidConfiguration,
                "The id of CloudFront's key is empty or has characters that no id has. Copy it from CloudFront."
            )
        }
        self.keyID = keyID
        key = try RSAPrivateKey(pem: privateKey)
    }

    /// Signs a URL.
    ///
    /// A policy with an end and nothing else makes a shorter URL, for which CloudFront puts the policy together.
    ///
    /// - Parameters:
    ///   - url: Absolute and percent-encoded, perhaps with a query.
    ///   - policy: The conditions of the URL.
    /// - Returns: The URL with the signature; a secret until it ends.
    /// - Throws: ``StorageError`` with code `invalidURL` for a URL that is not absolute, is not encoded, has a
    ///   fragment, or has parameters of a signature already; `unavailable` when libcrypto failed.
    func signedURL(_ url: String, policy: CloudFrontPolicy) throws -> String {
        try CloudFrontSigner.check(url)
        let json = policy.json(for: url)
        let first =
            policy.isCanned
            ? "Expires=\(AmazonDate(policy.dateLessThan).secondsSince1970)"
            : "Policy=" + CloudFrontSigner.encoded(Array(json.utf8))
        let signature = CloudFrontSigner.encoded(try key.signatureWithSHA1(of: json))
        let separator = url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
        return "\(url)\(separator)\(first)&Signature=\(signature)&Key-Pair-Id=\(keyID)"
    }

    /// Returns Base64 with what a query cannot have replaced, as CloudFront has it.
    private static func encoded(_ bytes: [UInt8]) -> String {
        let characters = Data(bytes).base64EncodedString().utf8.map { byte in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "="): UInt8(ascii: "_")
            case UInt8(ascii: "/"): UInt8(ascii: "~")
            default: byte
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    private static let reserved = ["Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"]

    private static func check(_ url: String) throws {
        let isWritten = url.utf8.allSatisfy { byte in
            byte > 0x20 && byte < 0x7F && !"\"\\#<>^`{|}".utf8.contains(byte)
        }
        guard isWritten, url.hasPrefix("https://") || url.hasPrefix("http://") else {
            throw StorageError(
                .invalidURL,
                "Only an absolute, percent-encoded URL of http or https without a fragment can be signed for "
                    + "CloudFront."
            )
        }
        let query = url.split(separator: "?", maxSplits: 1).dropFirst().first ?? ""
        for parameter in query.split(separator: "&") {
            let name = String(parameter.prefix { $0 != "=" })
            guard !reserved.contains(name) else {
                throw StorageError(
                    .invalidURL,
                    "The URL has a parameter \(name), which is of CloudFront's signature. Leave it out."
                )
            }
        }
    }
}
