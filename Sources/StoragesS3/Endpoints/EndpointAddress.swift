import Storages
import StoragesHTTP

/// The scheme of a URL.
enum URLScheme: String, Hashable, Sendable {
    case http
    case https

    var defaultPort: Int { self == .http ? 80 : 443 }

    /// Splits the scheme off a URL; `nil` when it does not begin with `http://` or `https://`, in any case.
    static func split(_ url: String) -> (scheme: URLScheme, rest: Substring)? {
        guard let separator = url.firstRange(of: "://"),
            let scheme = URLScheme(rawValue: url[..<separator.lowerBound].lowercased())
        else { return nil }
        return (scheme, url[separator.upperBound...])
    }
}

/// A host, perhaps a port, and the path in front of all others.
struct EndpointAddress: Hashable, Sendable {
    /// The host in lower case; an IPv6 address has its brackets.
    var host: String
    var port: Int?
    var isIPLiteral: Bool
    /// The path, such as `/storage/v1/s3`, percent-encoded, or nothing.
    var path = ""

    /// Parses `host` or `host:port`, with a path if there may be one; a `/` at the end is dropped.
    ///
    /// - Parameters:
    ///   - text: The value of an option.
    ///   - option: The name of the option, for the message.
    ///   - remedy: The advice for the message. Default: to give a host.
    ///   - allowsPath: Whether there may be a path. Default: no.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the part that is wrong.
    init(
        _ text: String,
        option: String,
        remedy: String = EndpointAddress.giveHost,
        allowsPath: Bool = false
    ) throws(StorageError) {
        func refusal(_ problem: String) -> StorageError {
            EndpointAddress.refusal(problem, option: option, remedy: remedy)
        }
        var rest = text[...]
        while rest.utf8.last == UInt8(ascii: "/") { rest = rest.dropLast() }
        if let problem = EndpointAddress.problem(of: rest, allowsPath: allowsPath) {
            // Not repeated in the message: it may hold a password.
            throw refusal(problem)
        }
        let path = rest.drop { $0 != "/" }
        guard PercentEncoding.isPath(path), !PercentEncoding.hasDotSegments(path) else {
            throw refusal("has a path that is none of a URL: percent-encode it, without dots that stand for folders")
        }
        self.path = String(path)
        rest = rest.prefix { $0 != "/" }
        let host: Substring
        let port: Substring?
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]"),
                HostName.isIPv6(String(rest[rest.index(after: rest.startIndex)..<end]))
            else {
                throw refusal("has no IPv6 address between its brackets")
            }
            host = rest[...end]
            let tail = rest[rest.index(after: end)...]
            guard tail.isEmpty || tail.first == ":" else {
                throw refusal("has something other than a port after its brackets")
            }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else {
            let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else {
                throw refusal("has several colons; an IPv6 address needs brackets")
            }
            guard HostName.isValid(String(parts[0])) else {
                throw refusal("has no valid host name")
            }
            host = parts[0]
            port = parts.count == 2 ? parts[1] : nil
        }
        if let port {
            guard port.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int(port),
                (1...65_535).contains(number)
            else { throw refusal("has no port from 1 to 65535 after its colon") }
            self.port = number
        }
        self.host = host.lowercased()
        isIPLiteral = host.first == "[" || HostName.isIPv4(self.host)
    }

    /// Parses a URL with its scheme, `https://host:port`, or without, perhaps with a path.
    ///
    /// - Parameters:
    ///   - url: The value of an option.
    ///   - option: The name of the option, for the message.
    ///   - defaultScheme: The scheme of a URL that has none. Default: such a URL is refused.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` that names the part that is wrong.
    static func parse(
        url: String,
        option: String,
        defaultScheme: URLScheme? = nil
    ) throws(StorageError) -> (scheme: URLScheme, address: EndpointAddress) {
        guard let (scheme, rest) = URLScheme.split(url) ?? defaultScheme.map({ ($0, url[...]) }) else {
            throw refusal("does not begin with http:// or https://", option: option, remedy: giveURL)
        }
        return (scheme, try EndpointAddress(String(rest), option: option, remedy: giveURL, allowsPath: true))
    }

    /// Returns the host, and the port unless the scheme implies it: the value of the header `Host`.
    func authority(for scheme: URLScheme) -> String {
        guard let port, port != scheme.defaultPort else { return host }
        return "\(host):\(port)"
    }

    private static func problem(of text: Substring, allowsPath: Bool) -> String? {
        if text.isEmpty { return "is empty" }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\r", "\n": return "has a line break"
            case " ": return "has a space"
            case _ where !scalar.isASCII: return "has a letter outside ASCII; write the name in its xn-- form"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: return "has a control character"
            default: continue
            }
        }
        if text.contains("://") { return "has a scheme other than http:// and https://, or where none may be" }
        if text.contains("@") { return "has a user name" }
        if text.contains("?") { return "has a query" }
        if text.contains("#") { return "has a fragment" }
        if text.contains("/") && !allowsPath || text.contains("\\") { return "has a path" }
        return nil
    }

    static let giveHost = "Give a host such as \"s3.example.org\", with a port if it is not the usual one."
    private static let giveURL = "Give a URL such as \"https://s3.example.org:9000\"."

    private static func refusal(_ problem: String, option: String, remedy: String) -> StorageError {
        StorageError(.invalidConfiguration, "The \(option) \(problem). \(remedy)")
    }
}
