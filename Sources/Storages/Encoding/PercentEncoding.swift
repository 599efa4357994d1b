/// Percent-encoding as RFC 3986 section 2.1 defines it.
package enum PercentEncoding {
    /// Encodes all bytes but the unreserved ones (section 2.3) and the slashes between segments.
    package static func encode(path: String) -> String {
        encode(path, keepingSlash: true)
    }

    /// Encodes all bytes but the unreserved ones.
    package static func encode(component: String) -> String {
        encode(component, keepingSlash: false)
    }

    private static func encode(_ text: String, keepingSlash: Bool) -> String {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        append(text, keepingSlash: keepingSlash, to: &result)
        return String(decoding: result, as: UTF8.self)
    }

    /// Appends the encoding of a text, for those who put bytes together.
    ///
    /// - Parameters:
    ///   - text: What to encode.
    ///   - keepingSlash: Whether `/` stays as it is.
    ///   - result: Where the encoding goes.
    package static func append(_ text: String, keepingSlash: Bool, to result: inout [UInt8]) {
        // A copy of the string itself, not of its bytes, because withUTF8 may make it contiguous.
        var text = text
        text.withUTF8 { utf8 in
            if utf8.allSatisfy({ isKept($0, keepingSlash) }) {
                result.append(contentsOf: utf8)
                return
            }
            for byte in utf8 {
                if isKept(byte, keepingSlash) {
                    result.append(byte)
                } else {
                    result.append(UInt8(ascii: "%"))
                    result.append(digit(byte >> 4))
                    result.append(digit(byte & 15))
                }
            }
        }
    }

    private static func isKept(_ byte: UInt8, _ keepingSlash: Bool) -> Bool {
        isUnreserved(byte) || keepingSlash && byte == UInt8(ascii: "/")
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") - 10 + nibble
    }

    /// The text behind an encoding; `nil` when a `%` is not followed by two hexadecimal digits, or it is not UTF-8.
    package static func decode(_ bytes: some Collection<UInt8>) -> String? {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var iterator = bytes.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(value(ofDigit:)),
                let low = iterator.next().flatMap(value(ofDigit:))
            else { return nil }
            result.append(high << 4 | low)
        }
        return String(validating: result, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func value(ofDigit byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
