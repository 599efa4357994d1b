import Foundation
import Storages

/// The URL of a service that gives out credentials, taken apart strictly, so that no two readers see different hosts in it.
struct ServiceURL: Hashable, Sendable, SecretHolding {
    enum Scheme: String, Sendable {
        case http, https
    }

    private(set) var scheme: Scheme
    /// A name or an address; that of IPv6 without brackets.
    private(set) var host: String
    private(set) var port: UInt16?
    /// Path and query, beginning with a slash.
    private(set) var target: String

    /// Takes a URL apart.
    ///
    /// - Parameters:
    ///   - text: An absolute URL of `http` or `https`.
    ///   - source: Where it was given, for messages: the URL itself may hold a secret.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for any other, or one with user information or a
    ///   fragment, or with bytes that a URL cannot have.
    init(_ text: String, from source: String) throws {
        func failure(_ reason: String) -> StorageError {
            StorageError(.invalidConfiguration, "The URL from \(source) cannot be used: \(reason).")
        }
        guard ServiceURL.isClean(text) else {
            throw failure("it has a space, a control character, a backslash, a quote or a byte that is not ASCII")
        }
        guard let mark = text.range(of: "://"), let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased())
        else { throw failure("it does not begin with http:// or https://") }
        let rest = text[mark.upperBound...]
        guard !rest.contains("#") else { throw failure("it has a fragment (#…)") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.contains("@") else { throw failure("it has a user name or password (…@)") }

        let portText: Substring?
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { throw failure("its [ is not closed") }
            let address = String(authority[authority.index(after: authority.startIndex)..<close])
            guard case .v6 = HostAddress(literal: address) else { throw failure("[…] holds no IPv6 address") }
            host = address
            let tail = authority[authority.index(after: close)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw failure("something other than a port follows ]") }
            portText = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            let colon = authority.firstIndex(of: ":") ?? authority.endIndex
            host = String(authority[..<colon])
            guard !host.isEmpty, host.utf8.allSatisfy(ServiceURL.isHostByte) else {
                throw failure("its host is empty or has other characters than letters, digits, dots and hyphens")
            }
            portText = colon == authority.endIndex ? nil : authority[authority.index(after: colon)...]
        }
        if let portText {
            guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(portText), port > 0 else {
                throw failure("its port is no number from 1 to 65535")
            }
            self.port = port
        }
        self.scheme = scheme
        target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
    }

    /// The whole URL.
    var string: String { "\(scheme.rawValue)://\(authority)\(target)" }

    /// Host and port, as in the field `Host`; the scheme's own port is left out, as it is of what is signed.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        guard let port, port != (scheme == .http ? 80 : 443) else { return name }
        return "\(name):\(port)"
    }

    /// The same URL at another path.
    ///
    /// - Parameter path: Begins with a slash; follows the path there is, without that one's last slash.
    func appending(_ path: String) -> ServiceURL {
        var result = self
        result.target = (target.hasSuffix("/") ? String(target.dropLast()) : target) + path
        return result
    }

    /// The same URL, to be sent to an address and not to a name.
    func at(_ address: HostAddress) -> ServiceURL {
        var result = self
        result.host = address.text
        return result
    }

    /// Itself, when it is `https`.
    ///
    /// - Throws: ``StorageError`` with code `invalidConfiguration`.
    func requiringTLS() throws -> ServiceURL {
        guard scheme == .https else {
            throw StorageError(
                .invalidConfiguration,
                "The endpoint of STS is not https, and credentials would travel unprotected; give an https URL."
            )
        }
        return self
    }

    /// Whether a text has only bytes that a URL may have: visible ASCII without the quotes and brackets of RFC 3986.
    static func isClean(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !"\\\"<>^`{|}".utf8.contains(byte)
            }
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}
