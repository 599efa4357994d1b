import StoragesHTTP

/// The parts of a request that are signed.
struct SignableRequest: Sendable {
    var method: String
    /// The path as on the wire: percent-encoded, with the bucket in path style, at least `/`.
    var path: String
    /// The names and values of the query, not encoded; the signer encodes and sorts them.
    var query: [(name: String, value: String)]
    /// All headers that will be sent, `Host` among them; the signer leaves out what must not be signed.
    var headers: HTTPHeaders
    var payload: PayloadHash
}

/// The value that stands for a body in the signature.
enum PayloadHash: Hashable, Sendable {
    /// The SHA-256 of the body, 64 lower-case hexadecimal digits.
    case sha256(String)
    /// No body.
    case empty
    /// A body that is not signed: TLS protects it, or the user of the URL may choose it.
    case unsigned
}

extension SignableRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    var description: String {
        let names = query.map { $0.name + "=…" }.joined(separator: "&")
        return "SignableRequest(\(method) \(path)\(names.isEmpty ? "" : "?" + names) \(headers) \(payload))"
    }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
