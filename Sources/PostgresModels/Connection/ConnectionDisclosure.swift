internal import CLibPQ
import Platform

/// The parts of the options of a connection that messages may repeat, wherever they come from: the connection string,
/// the environment or a service file.
///
/// Nothing is repeated that may be part of a password. A string that lacks its "@" is valid and means something else:
/// `postgresql://odd:123/S3cret` is the host "odd", the port 123 and the database "S3cret". Therefore only what is
/// known to be harmless is shown, and of the texts of libpq and the server only what quotes nothing else.
struct ConnectionDisclosure: Sendable {
    /// Host, port, database and user, as far as they may be shown.
    let label: String
    /// A Boolean value that indicates whether one of those is withheld, so that no text may be shown in which it could
    /// stand.
    let isReticent: Bool
    /// A Boolean value that indicates whether the server is sent settings that it might repeat.
    private let hasOptions: Bool
    /// A Boolean value that indicates whether the connection string may mean something else than libpq takes it for.
    private let isAmbiguous: Bool
    private let known: Set<String>

    /// - Parameters:
    ///   - conninfo: The connection string.
    ///   - values: Its options by their keywords.
    init(_ conninfo: String, _ values: [String: String]) {
        self.init(isAmbiguous: Self.mayLackItsHost(conninfo, values), values)
    }

    private init(isAmbiguous: Bool, _ values: [String: String]) {
        self.isAmbiguous = isAmbiguous
        var shown: [(name: String, value: String)] = []
        // A value with a quotation mark would end the quotation that it stands in. Those of passwords stand in none.
        var isReticent =
            isAmbiguous
            || values.contains { name, value in
                !["password", "sslpassword"].contains(name) && value.unicodeScalars.contains(where: Self.marks.contains)
            }
        for name in ["host", "hostaddr", "port", "dbname", "user"] {
            guard let value = values[name], !value.isEmpty else { continue }
            if isAmbiguous, name == "host", let first = value.split(separator: ",").first.map(String.init),
                Self.isHarmless(first, as: name)
            {
                shown.append((name, first))
            } else if !isAmbiguous, Self.isHarmless(value, as: name) {
                shown.append((name, value))
            } else {
                isReticent = true
            }
        }
        self.isReticent = isReticent
        hasOptions = values["options"]?.isEmpty == false
        known = Set(shown.flatMap { [$0.value] + $0.value.split(separator: ",").map(String.init) })
        let text = shown.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
        label =
            if isReticent {
                "\(text.isEmpty ? "" : "\(text), ")the rest is not shown because it may be part of a password"
            } else {
                text.isEmpty ? "the default server" : text
            }
    }

    /// Makes the disclosure of a connection to whose string the environment and a service file have added options.
    func adding(_ values: [String: String]) -> ConnectionDisclosure {
        ConnectionDisclosure(isAmbiguous: isAmbiguous, values)
    }

    /// Returns whether a URI may be a user and the beginning of a password, for want of a host: its host and port are
    /// not preceded by a user.
    private static func mayLackItsHost(_ conninfo: String, _ values: [String: String]) -> Bool {
        guard let scheme = ["postgresql://", "postgres://"].first(where: conninfo.hasPrefix) else { return false }
        let rest = conninfo.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { return false }
        let query = rest.dropFirst(authority.count)
        if values["user"] != nil, !query.contains("@") { return false }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return !isAddress(authority[authority.index(after: authority.startIndex)..<end])
        }
        guard let colon = authority.firstIndex(of: ":") else { return false }
        let host = authority[..<colon]
        // Nobody is called that, and no password begins like that.
        if host == "localhost" || isAddress(host) || host.isEmpty { return false }
        return !(authority[colon...] == ":5432")
    }

    private static func isHarmless(_ value: String, as name: String) -> Bool {
        guard !value.unicodeScalars.contains(where: { marks.contains($0) || $0.value < 0x20 }) else { return false }
        switch name {
        case "host":
            return value.split(separator: ",").allSatisfy { host in
                host.hasPrefix("/") || isAddress(host) || !host.contains { ":@=".contains($0) }
            }
        case "port": return value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2C }
        case "hostaddr": return value.split(separator: ",").allSatisfy(isAddress)
        // Names of users of some services end in "@host".
        case "user": return !value.contains { ":=".contains($0) }
        default: return !value.contains { ":@=".contains($0) }
        }
    }

    /// Returns whether a text is an IP address, which may have a zone.
    private static func isAddress(_ text: some StringProtocol) -> Bool {
        let address = String(text.prefix { $0 != "%" })
        var bytes = in6_addr()
        return inet_pton(AF_INET, address, &bytes) == 1 || inet_pton(AF_INET6, address, &bytes) == 1
    }

    // MARK: Texts of others

    /// Withholds from a text of libpq what may not be shown.
    func shown(_ line: some StringProtocol) -> String {
        guard let mark = line.firstRange(of: " failed: "), line.hasPrefix("connection to server ") else {
            return withoutQuotations(line)
        }
        // What precedes the mark are the host and the port.
        let reason = withoutQuotations(line[mark.upperBound...])
        return isReticent ? reason : line[..<mark.upperBound] + reason
    }

    /// Withholds from a report of the server, or of a pooler, about the connection what may not be shown.
    func shown(report message: some StringProtocol, sqlState: String?) -> String {
        guard !isReticent else { return "the server reported SQLSTATE \(sqlState ?? "unknown")" }
        guard hasOptions else { return withoutQuotations(message) }
        switch sqlState ?? "08" {
        // What was to be set cannot be read, and is repeated without quotation marks.
        case "42601": return "the options cannot be read"
        case let state where state.hasPrefix("08"):
            let text = message.prefix { $0 != ":" }
            return withoutQuotations(text) + (text.endIndex < message.endIndex ? ": …" : "")
        default: return withoutQuotations(message)
        }
    }

    /// A text in which each quotation that is not known to be harmless is an ellipsis.
    private func withoutQuotations(_ text: some StringProtocol) -> String {
        // Scalars, not characters: what follows a mark may begin with an accent that makes both one character.
        var rest = String(text).unicodeScalars[...]
        var shown = String.UnicodeScalarView()
        while let opening = rest.firstIndex(where: Self.marks.contains) {
            shown.append(contentsOf: rest[..<opening])
            let inside = rest[rest.index(after: opening)...]
            guard !isReticent, let closing = inside.firstIndex(where: Self.marks.contains) else {
                shown.append("…")
                return String(shown)
            }
            if mayBeQuoted(String(String.UnicodeScalarView(inside[..<closing]))) {
                shown.append(contentsOf: rest[opening...closing])
            } else {
                shown.append("…")
            }
            rest = inside[inside.index(after: closing)...]
        }
        shown.append(contentsOf: rest)
        return String(shown)
    }

    private func mayBeQuoted(_ text: String) -> Bool {
        // What begins with "/" is a socket, a certificate or a key.
        known.contains(text) || Self.keywords.contains(text) || text.hasPrefix("/") || Self.isAddress(text)
    }

    /// Quotation marks of the languages that libpq and the server speak.
    private static let marks: Set<Unicode.Scalar> = [
        "\"", "'", "`", "«", "»", "‹", "›", "„", "“", "”", "‚", "‘", "’", "「", "」", "『", "』",
    ]

    /// The names of options, which libpq quotes.
    private static let keywords: Set<String> = {
        guard let options = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(options) }
        return Set(values(of: options, unset: "").keys)
    }()

    /// The options that are set, by their keywords.
    ///
    /// - Parameters:
    ///   - options: What libpq made of a connection string, or says of a connection.
    ///   - unset: What stands for the value of an option that is not set; `nil` leaves it out.
    static func values(
        of options: UnsafeMutablePointer<PQconninfoOption>,
        unset: String? = nil
    ) -> [String: String] {
        var values: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            values[String(cString: keyword)] = option.pointee.val.map { String(cString: $0) } ?? unset
            option += 1
        }
        return values
    }
}
