import Storages
import StoragesHTTP

/// The URL of a service that issues credentials, parsed strictly, so that no two readers see different hosts in it.
struct ServiceURL: Hashable, Sendable, SecretHolding {
    let scheme: URLScheme
    private var address: EndpointAddress
    /// The path and the query, beginning with a slash.
    private(set) var target: String

    /// Parses a URL.
    ///
    /// - Parameters:
    ///   - text: An absolute URL of `http` or `https`.
    ///   - source: The setting that gives it, for messages: the URL itself may hold a secret.
    ///   - requiresTLS: Whether `http` is refused. Default: it is not.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for any other, or one with user information or a
    ///   fragment, or with bytes that a URL cannot have.
    init(_ text: String, from source: String, requiresTLS: Bool = false) throws {
        func failure(_ reason: String) -> StorageError {
            StorageError(.invalidConfiguration, "The URL from \(source) \(reason). \(ServiceURL.remedy)")
        }
        guard ServiceURL.isClean(text) else {
            throw failure("has a space, a control character, a backslash, a quote or a byte that is not ASCII")
        }
        guard let (scheme, rest) = URLScheme.split(text) else {
            throw failure("does not begin with http:// or https://")
        }
        guard scheme == .https || !requiresTLS else {
            throw failure("is not https, and credentials would travel unprotected")
        }
        guard !rest.contains("#") else { throw failure("has a fragment (#…)") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        address = try EndpointAddress(String(rest[..<end]), option: "URL from \(source)", remedy: ServiceURL.remedy)
        self.scheme = scheme
        target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
    }

    private static let remedy = "Give one such as \"https://service.example.org/path\"."

    /// The host, a name or an address in lower case; that of IPv6 without brackets.
    var host: String { address.host.first == "[" ? String(address.host.dropFirst().dropLast()) : address.host }

    /// The whole URL.
    var string: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// The host and port, as in the header `Host`; the scheme's own port is left out, as it is of what is signed.
    var authority: String { address.authority(for: scheme) }

    /// Returns the same URL at another path.
    ///
    /// - Parameter path: Begins with a slash; follows the path there is, without that one's last slash.
    func appending(_ path: String) -> ServiceURL {
        var result = self
        result.target = (target.hasSuffix("/") ? String(target.dropLast()) : target) + path
        return result
    }

    /// Returns the same URL, to be sent to an address and not to a name.
    func at(_ address: HostAddress) -> ServiceURL {
        var result = self
        result.address.host = if case .v6 = address { "[\(address.text)]" } else { address.text }
        result.address.isIPLiteral = true
        return result
    }

    /// Returns whether a text has only bytes that a URL may have: visible ASCII without the quotes and brackets of RFC
    /// 3986.
    static func isClean(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"\\\"<>^`{|}".utf8.contains(byte)
            }
    }
}
