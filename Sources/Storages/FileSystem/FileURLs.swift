internal import Foundation
import Platform

/// Makes the URLs of a `FileSystemStorage` and checks those that come back.
///
/// What is signed, each part percent-encoded so that none can contain the separator:
/// `GET <LF> base URL "/" name "?" query without the signature`. The base URL is the configured one and not the
/// request's, which proxies rewrite; so a URL of one storage is not one of another with the same key.
struct FileURLs: Sendable {
    private enum Parameter {
        static let expires = "expires"
        static let disposition = "response-content-disposition"
        static let type = "response-content-type"
        static let signature = "signature"
    }

    private let root: String
    /// The base of all URLs, without a "/" at its end.
    private let base: String?
    /// The path of `base`: "" or "/media".
    private let basePath: String
    private let key: [UInt8]?
    private let lifetime: Duration
    private let label: String

    init(root: String, baseURL: String?, key: [UInt8]?, lifetime: Duration, label: String) throws {
        self.root = root.withoutTrailingSlash
        self.key = key
        self.lifetime = lifetime
        self.label = label
        if let key {
            guard key.count >= 16 else {
                throw StorageError(
                    .invalidConfiguration,
                    "The signing key has \(key.count) bytes. Give 32 random bytes; fewer than 16 are refused.",
                    storage: label
                )
            }
            guard baseURL != nil else {
                throw StorageError(
                    .invalidConfiguration,
                    "A signing key makes signed URLs, so it needs a baseURL. Give one, or leave the key out.",
                    storage: label
                )
            }
        }
        guard var base = baseURL else {
            self.base = nil
            basePath = ""
            return
        }
        while base.utf8.last == UInt8(ascii: "/") { base = base.withoutTrailingSlash }
        guard let path = Self.path(ofBase: base) else {
            throw StorageError(
                .invalidConfiguration,
                "The baseURL \(StorageError.quoted(base)) is not usable. Give an http or https URL or an absolute "
                    + "path, percent-encoded, without query and fragment.",
                storage: label
            )
        }
        self.base = base
        basePath = path
    }

    /// The path of a base URL, or `nil` when it is no base URL.
    private static func path(ofBase base: String) -> String? {
        let allowed = base.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}?#".utf8.contains($0) }
        guard allowed else { return nil }
        if base.isEmpty || base.hasPrefix("/") && !base.hasPrefix("//") { return base }
        for scheme in ["https://", "http://"] where base.lowercased().hasPrefix(scheme) {
            let rest = base.dropFirst(scheme.count)
            let authority = rest.prefix { $0 != "/" }
            // Credentials in a URL would be handed to everybody who gets a link.
            return authority.isEmpty || authority.contains("@") ? nil : String(rest.dropFirst(authority.count))
        }
        return nil
    }

    // MARK: Making

    func url(for name: StorageName, options: URLOptions, now: Date) throws -> String {
        let isSpecial =
            options.lifetime != nil || options.contentDisposition != nil || options.contentType != nil
            || options.quantum != nil
        guard let key, let base else {
            guard !isSpecial else {
                throw StorageError(
                    .unsupported,
                    "A lifetime or overridden headers need signed URLs. Give the storage a baseURL and a signingKey.",
                    name: name,
                    storage: label
                )
            }
            return (base ?? PercentEncoding.encode(path: root)) + "/" + PercentEncoding.encode(path: name.string)
        }
        let lifetime = options.lifetime ?? self.lifetime
        let quantum = options.quantum ?? .seconds(1)
        let longest = StorageError.longestTime
        guard lifetime > .zero, lifetime <= longest, quantum > .zero, quantum <= longest else {
            throw StorageError(
                .invalidURL,
                "The lifetime of a URL and its quantum must be positive and at most 100 years.",
                name: name,
                storage: label
            )
        }
        if let disposition = options.contentDisposition, Self.hasControl(disposition) {
            throw StorageError(
                .invalidURL,
                "The contentDisposition contains a control character, which no header may have. Leave it out.",
                name: name,
                storage: label
            )
        }
        // Rounded up, so that the URL works at least as long as it was asked to.
        let end = now.timeIntervalSince1970 + lifetime.inSeconds
        let step = max(quantum.inSeconds, 1)
        let expires = Int64(((end / step).rounded(.up) * step).rounded(.up))
        let query = Self.query(
            expires: expires,
            disposition: options.contentDisposition,
            type: options.contentType?.rawValue
        )
        let location = base + "/" + PercentEncoding.encode(path: name.string)
        let signature = try signature(location: location, query: query, key: key)
        return location + "?" + query + "&" + Parameter.signature + "=" + signature
    }

    /// A line break would begin another header of the response (RFC 9110 section 5.5).
    private static func hasControl(_ value: String) -> Bool {
        value.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }

    private static func query(expires: Int64, disposition: String?, type: String?) -> String {
        var query = "\(Parameter.expires)=\(expires)"
        if let disposition { query += "&\(Parameter.disposition)=" + PercentEncoding.encode(component: disposition) }
        if let type { query += "&\(Parameter.type)=" + PercentEncoding.encode(component: type) }
        return query
    }

    private func signature(location: String, query: String, key: [UInt8]) throws -> String {
        try HMACSHA256.authenticate("GET\n" + location + "?" + query, key: key).hexadecimal
    }

    // MARK: Checking

    func verify(_ url: String, method: String, now: Date) throws -> VerifiedFileURL {
        guard let key, let base else {
            throw StorageError(
                .unsupported,
                "Only a storage with a signingKey has URLs to verify. Give it one.",
                storage: label
            )
        }
        // RFC 9110 section 9.3.2: HEAD asks for the same as GET, without the content.
        guard method == "GET" || method == "HEAD" else {
            throw invalid("was signed for GET and HEAD, not for \(StorageError.quoted(method))")
        }
        guard let target = Self.target(of: url) else { throw invalid("is malformed") }
        let halves = target.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].starts(with: (basePath + "/").utf8),
            let decoded = PercentEncoding.decode(halves[0].dropFirst(basePath.utf8.count + 1)),
            (try? StorageName(unchecked: decoded).requireSafe(in: label)) != nil
        else { throw invalid("has no query, or a path that is none of this storage") }
        let name = StorageName(unchecked: decoded)
        let parameters = try parameters(of: halves[1])
        guard let given = parameters[Parameter.signature],
            let expires = parameters[Parameter.expires].flatMap({ Int64($0) })
        else { throw invalid("has no signature or no expiry") }

        // Written anew from what was understood: whatever was not understood cannot have been signed.
        let disposition = parameters[Parameter.disposition]
        let type = parameters[Parameter.type]
        let query = Self.query(expires: expires, disposition: disposition, type: type)
        let location = base + "/" + PercentEncoding.encode(path: name.string)
        let expected = try signature(location: location, query: query, key: key)
        guard HMACSHA256.isEqual(Array(given.utf8), to: Array(expected.utf8)) else {
            throw invalid("has a wrong signature")
        }
        guard now.timeIntervalSince1970 < TimeInterval(expires) else {
            throw StorageError(.expired, "The URL has expired. Ask for a new one.", name: name, storage: label)
        }
        // Older versions signed anything.
        guard disposition.map(Self.hasControl) != true else { throw invalid("has a control character in a header") }
        return VerifiedFileURL(
            name: name,
            expires: Date(timeIntervalSince1970: TimeInterval(expires)),
            contentDisposition: disposition,
            contentType: type.flatMap { ContentType($0) }
        )
    }

    /// Returns path and query of an absolute URL or of a request's target; `nil` when it is neither.
    private static func target(of url: String) -> Substring.UTF8View? {
        let slash = UInt8(ascii: "/")
        guard url.utf8.count <= 16_384, !url.utf8.contains(UInt8(ascii: "#")) else { return nil }
        if url.utf8.first == slash { return url[...].utf8 }
        for scheme in ["https://", "http://"] {
            let start = url.utf8.prefix(scheme.utf8.count)
            guard start.lazy.map({ $0 | 0x20 }).elementsEqual(scheme.utf8.lazy.map { $0 | 0x20 }) else { continue }
            return url.utf8.dropFirst(scheme.utf8.count).drop { $0 != slash }
        }
        return nil
    }

    private func parameters(of query: Substring.UTF8View) throws -> [String: String] {
        var result: [String: String] = [:]
        let known = [Parameter.expires, Parameter.disposition, Parameter.type, Parameter.signature]
        for pair in query.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false) {
            let halves = pair.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2, let key = known.first(where: { $0.utf8.elementsEqual(halves[0]) }),
                let value = PercentEncoding.decode(halves[1]),
                result.updateValue(value, forKey: key) == nil
            else { throw invalid("has a malformed, repeated or unknown query parameter") }
        }
        return result
    }

    // The URL itself stays out of the message: a signature that works must not get into a log.
    private func invalid(_ reason: String) -> StorageError {
        StorageError(.invalidURL, "The URL \(reason). Ask the storage for a new one.", storage: label)
    }
}
