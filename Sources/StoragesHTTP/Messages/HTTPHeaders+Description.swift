import NIOCore

// Descriptions of messages: names, and the values of headers in which no secret can be.

extension HTTPHeaders: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "[" + fields.map(\.description).joined(separator: ", ") + "]" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["fields": description]) }
}

extension HTTPHeaders.Field: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "\(name): \(Self.isHarmless(name) ? value : "…")" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["field": description]) }

    /// Returns whether no value of the header is a secret; whatever is not listed may be one.
    private static func isHarmless(_ name: String) -> Bool {
        harmless.contains { HTTPHeaders.areEqual($0, name) }
    }

    private static let harmless = [
        "Host", "Date", "Content-Type", "Content-Length", "Content-Range", "Content-Encoding", "Range", "ETag",
        "If-Match",
        "If-None-Match", "Last-Modified", "Retry-After", "User-Agent", "x-amz-acl", "x-amz-bucket-region",
        "x-amz-content-sha256", "x-amz-date", "x-amz-id-2", "x-amz-request-id", "x-amz-storage-class",
        "x-amz-version-id",
    ]
}

extension HTTPRequest: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method, the origin and the headers, without path and query: the path of a service of credentials may be
    /// secret, and signatures are in queries.
    package var description: String {
        "HTTPRequest(\(method.rawValue) \(HTTPRequest.origin(of: url))/… \(headers) \(body))"
    }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }

    private static func origin(of url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return "…" }
        let authority = url[scheme.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        // Only what follows a name and a password.
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        return String(url[..<scheme.upperBound]) + host
    }
}

extension HTTPBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(\(byteCount) bytes)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["byteCount": byteCount]) }
}

extension BufferedResponse: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "BufferedResponse(\(status) \(headers) (\(body.readableBytes) bytes))" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
