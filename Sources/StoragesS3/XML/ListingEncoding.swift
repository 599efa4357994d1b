/// How the keys in a listing are written.
enum ListingEncoding: Hashable, Sendable {
    /// As they are; what XML cannot express is missing or wrong.
    case plain
    /// As in the query of a URL.
    case url

    /// What a listing says of itself, unless what is in it shows that this is not so.
    ///
    /// Keys are decoded for a reason only, because `%20` may be part of a key, too.
    ///
    /// - Parameters:
    ///   - root: The listing.
    ///   - keys: Its keys as they stand there.
    ///   - prefix: What was asked for: all keys begin so.
    /// - Returns: `nil` when it says nothing, and its keys can be read both ways.
    static func seen(_ root: XMLElement, keys: [[UInt8]], prefix: String) -> ListingEncoding? {
        let says = root.string("EncodingType")?.lowercased() == "url"
        // What an encoding would not leave as it is.
        if keys.contains(where: { key in key.contains { $0 <= 0x20 || $0 >= 0x7F } }) { return .plain }
        for key in keys {
            switch (key.starts(with: prefix.utf8), url.decode(key).starts(with: prefix.utf8)) {
            case (true, false): return .plain
            case (false, true): return .url
            default: continue
            }
        }
        if says { return .url }
        return keys.allSatisfy { url.decode($0) == $0 } ? .plain : nil
    }

    /// The bytes of a key: not always UTF-8.
    ///
    /// `+` is a space, as Amazon and rclone write it; all servers write `%2B` for a plus. A `%` without two digits
    /// stays.
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

/// Where the next page of a listing begins, when the server has written that down in a way of its own.
///
/// Ceph encodes keys and leaves markers as they are, in one document; taken for encoded, a marker with `%` or `+` is
/// another one, and what is between the two is never listed.
struct ListingMarker {
    /// As it stands in the document.
    var text: [UInt8]
    /// `nil` when the document can be read both ways.
    var encoding: ListingEncoding?

    /// Whether it names a key in one of the ways it can be written.
    func names(_ key: [UInt8]) -> Bool {
        text == key || ListingEncoding.url.decode(text) == key
    }

    /// What is to be asked for when the page has nothing to compare it with.
    ///
    /// Of two ways to read it the one that comes first: listing something twice is better than passing it over.
    ///
    /// - Parameter previous: Where this page began.
    func key(after previous: [UInt8]?) -> [UInt8] {
        let readings = [text, ListingEncoding.url.decode(text)].sorted { $0.lexicographicallyPrecedes($1) }
        let later = readings.first { reading in previous.map { $0.lexicographicallyPrecedes(reading) } ?? true }
        return later ?? (encoding ?? .plain).decode(text)
    }
}
