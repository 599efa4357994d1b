import NIOConcurrencyHelpers
import Storages

/// The key of Signature Version 4 for one day, region and service: as good as the secret for that day, so it is never
/// printed.
struct SigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    /// Derives the key, or takes it from those derived lately.
    ///
    /// - Parameters:
    ///   - secret: The secret access key.
    ///   - day: The day as in a scope: `20130524`.
    ///   - region: The region, such as `us-east-1`.
    ///   - service: The service, such as `s3`.
    /// - Throws: ``StorageError`` with code `unavailable` when libcrypto failed.
    init(secret: String, day: String, region: String, service: String) throws {
        let source = Source(secret: secret, day: day, region: region, service: service)
        if let key = SigningKey.cache.withLockedValue({ $0.key(for: source) }) {
            self = key
            return
        }
        let dated = try HMACSHA256.authenticate(day, key: Array("AWS4\(secret)".utf8))
        let regional = try HMACSHA256.authenticate(region, key: dated)
        let ofService = try HMACSHA256.authenticate(service, key: regional)
        bytes = try HMACSHA256.authenticate("aws4_request", key: ofService)
        let key = self
        SigningKey.cache.withLockedValue { $0.insert(key, for: source) }
    }

    /// Returns the signature of a string to sign, as 64 hexadecimal digits.
    func signature(of stringToSign: [UInt8]) throws -> String {
        try HMACSHA256.authenticate(stringToSign, key: bytes).hexadecimal
    }

    var description: String { "SigningKey(…)" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: [:]) }

    // MARK: Cache

    private struct Source: Equatable {
        var secret: String
        var day: String
        var region: String
        var service: String
    }

    /// The keys that were derived last: four HMACs saved for each signature.
    ///
    /// Few, so that a search costs little, and that secrets no longer in use do not stay for ever.
    private struct Cache {
        private var entries: [(source: Source, key: SigningKey)] = []
        private static let limit = 16

        func key(for source: Source) -> SigningKey? {
            // The newest first: it is the one in use.
            entries.last { $0.source == source }?.key
        }

        mutating func insert(_ key: SigningKey, for source: Source) {
            if entries.count == Cache.limit { entries.removeFirst() }
            entries.append((source, key))
        }
    }

    private static let cache = NIOLockedValueBox(Cache())
}
