import Foundation
import Storages

/// The signatures of the chunks of a body that is signed while it is sent, each of which covers the one before it.
///
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>
///
/// The first covers the request's own signature, its seed.
struct ChunkSignatures {
    private let key: SigningKey
    private let scope: SigV4Signer.Scope
    private var previous: String

    /// Begins with the signature of the request.
    ///
    /// - Throws: ``StorageError`` with code `unavailable` when libcrypto failed.
    init(seed: String, signer: SigV4Signer, secret: String, at date: Date) throws {
        scope = SigV4Signer.Scope(AmazonDate(date), signer)
        key = try signer.key(for: scope, secret: secret)
        previous = seed
    }

    /// Signs the next chunk; the last one is empty.
    mutating func sign(chunk: [UInt8]) throws -> String {
        try sign("PAYLOAD", SigV4Signer.emptyHash + "\n" + SHA256Hasher.hash(chunk).hexadecimal)
    }

    /// Signs the trailing headers, which follow the last chunk.
    ///
    /// - Parameter trailer: Lines `name:value` in lower-case names, each with a line break at its end.
    mutating func sign(trailer: String) throws -> String {
        try sign("TRAILER", SHA256Hasher.hash(trailer).hexadecimal)
    }

    private mutating func sign(_ kind: String, _ hashes: String) throws -> String {
        let text = "AWS4-HMAC-SHA256-\(kind)\n\(scope.timestamp)\n\(scope.text)\n\(previous)\n\(hashes)"
        previous = try key.signature(of: Array(text.utf8))
        return previous
    }
}
