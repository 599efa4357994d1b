/// A media type such as `image/jpeg`, without parameters, in lower case.
public struct ContentType: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// The type and subtype, in lower case.
    public let rawValue: String

    /// Takes the type and subtype of a `Content-Type` header; parameters are dropped.
    ///
    /// - Parameter header: Such as `text/html; charset=utf-8`.
    /// - Returns: `nil` unless both parts are tokens as RFC 9110 section 5.6.2 defines them.
    public init?(_ header: String) {
        let essence = header.prefix { $0 != ";" }.lowercased()
        let trimmed = essence.drop { $0 == " " || $0 == "\t" }
        let parts = trimmed.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        let text = String(parts)
        let halves = text.split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2, text.utf8.count <= 255, halves.allSatisfy(ContentType.isToken) else { return nil }
        rawValue = text
    }

    /// Takes a literal, as it is but in lower case.
    ///
    /// - Parameter value: Such as `"image/jpeg"`.
    public init(stringLiteral value: String) {
        rawValue = value.lowercased()
    }

    init(known rawValue: String) {
        self.rawValue = rawValue
    }

    /// The type and subtype.
    public var description: String { rawValue }

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
