/// A media type such as `image/jpeg`, without parameters, in lower case.
public struct ContentType: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The type and subtype, in lower case.
    public let rawValue: String

    /// Takes the type and subtype of a `Content-Type` header; parameters are dropped.
    ///
    /// - Parameter header: Such as `text/html; charset=utf-8`.
    /// - Returns: `nil` unless both parts are tokens as RFC 9110 section 5.6.2 defines them.
    public init?(_ header: String) {
        guard let essence = ContentType.essence(of: header) else { return nil }
        rawValue = essence
    }

    /// Takes a literal as a header would be taken; one that is no media type stays as it is.
    ///
    /// - Parameter value: Such as `"image/jpeg"`.
    public init(stringLiteral value: String) {
        rawValue = ContentType.essence(of: value) ?? value
    }

    init(known rawValue: String) {
        self.rawValue = rawValue
    }

    /// The type and subtype.
    public var description: String { rawValue }

    private static func essence(of header: String) -> String? {
        func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let untrimmed = header.utf8.prefix { $0 != UInt8(ascii: ";") }.drop(while: isSpace)
        let count = untrimmed.count - untrimmed.reversed().prefix(while: isSpace).count
        let text = String(Substring(untrimmed.prefix(count))).lowercased()
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= 255, halves.allSatisfy(isToken) else { return nil }
        return text
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }
}
