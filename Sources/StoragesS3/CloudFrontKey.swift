/// A key pair that signs URLs for Amazon CloudFront.
public struct CloudFrontKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The id of the public key.
    public var keyID: String
    /// The private RSA key, in PEM.
    public var privateKey: String

    /// Creates a key pair.
    ///
    /// - Parameters:
    ///   - keyID: The id of the public key.
    ///   - privateKey: The private RSA key, in PEM.
    public init(keyID: String, privateKey: String) {
        self.keyID = keyID
        self.privateKey = privateKey
    }

    /// The id, without the key.
    public var description: String { "CloudFrontKey(\(keyID))" }
    /// As ``description``.
    public var debugDescription: String { description }
    /// A mirror without the key.
    public var customMirror: Mirror { Mirror(self, children: ["keyID": keyID]) }
}
