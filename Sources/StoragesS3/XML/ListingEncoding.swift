/// How the keys in a listing are written.
enum ListingEncoding: Hashable, Sendable {
    /// As they are; what XML cannot express is missing or wrong.
    case plain
    /// As in the query of a URL.
    case url

    /// What a listing says of itself: only then keys are decoded, because `%20` may be part of a key, too.
    init(_ root: XMLElement) {
        self = root.string("EncodingType")?.lowercased() == "url" ? .url : .plain
    }

    /// The bytes of a key: not always UTF-8.
    ///
    /// `+` is a space, as Amazon and rclone write it; all servers write `%2B` for a plus. A `%` without two digits stays.
    func decode(_ text: [UInt8]) -> [UInt8] {
        guard self == .url else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            switch text[index] {
            case UInt8(ascii: "+"):
                result.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                if index + 2 < text.count, let high = digit(text[index + 1]), let low = digit(text[index + 2]) {
                    result.append(high << 4 | low)
                    index += 2
                } else {
                    result.append(UInt8(ascii: "%"))
                }
            case let byte:
                result.append(byte)
            }
            index += 1
        }
        return result
    }

    private func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
