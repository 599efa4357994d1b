public import Foundation

/// An access key pair, perhaps temporary.
///
/// Its description, and what `dump` and a debugger's `po` show of it, name the access key's first characters only.
public struct S3Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    /// The id of the access key.
    public var accessKeyID: String
    /// The secret access key.
    public var secretAccessKey: String
    /// The session token that goes with temporary keys.
    public var sessionToken: String?
    /// The date at which temporary keys expire.
    public var expiration: Date?

    /// Creates credentials.
    ///
    /// - Parameters:
    ///   - accessKeyID: The id of the access key.
    ///   - secretAccessKey: The secret access key.
    ///   - sessionToken: The session token of temporary keys. Default: none.
    ///   - expiration: The date at which temporary keys expire. Default: never.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Date? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
    }

    /// The first four characters of the access key's id; nothing secret.
    public var description: String { "S3Credentials(\(accessKeyID.prefix(4))…)" }

    /// As ``description``.
    public var debugDescription: String { description }

    /// A mirror without the secrets.
    public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": "\(accessKeyID.prefix(4))…"]) }
}
