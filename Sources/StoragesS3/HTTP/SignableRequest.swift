/// What of a request is signed.
struct SignableRequest: Sendable {
    var method: String
    /// The path as on the wire: percent-encoded, with the bucket in path style, at least `/`.
    var path: String
    /// Names and values, not encoded; the signer encodes and sorts them.
    var query: [(name: String, value: String)]
    /// All fields that will be sent, `Host` among them; the signer leaves out what must not be signed.
    var headers: HTTPHeaders
    var payload: PayloadHash
}

/// What the signature says of a body.
enum PayloadHash: Hashable, Sendable {
    /// The SHA-256 of the body, 64 lower-case hexadecimal digits.
    case sha256(String)
    /// There is no body.
    case empty
    /// The body is not signed: TLS protects it, or whoever has the URL may choose it.
    case unsigned
}
