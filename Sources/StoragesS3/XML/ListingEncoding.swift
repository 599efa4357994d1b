/// The encoding of the keys in a listing.
enum ListingEncoding: Hashable, Sendable {
    /// Keys as they are; what XML cannot express is missing or wrong.
    case plain
    /// Keys encoded as in the query of a URL.
    case url

    /// Returns the encoding that a listing declares, unless its contents show that this is not so.
    ///
    /// Keys are decoded for a reason only, because `%20` may be part of a key, too.
    ///
    /// - Parameters:
    ///   - root: The listing.
    ///   - keys: The keys as they stand in the listing.
    ///   - prefix: The prefix of the request, with which all keys begin.
    /// - Returns: `nil` when the listing declares nothing, and its keys can be read both ways.
    static func seen(_ root: XMLElement, keys: [[UInt8]], prefix: String) -> ListingEncoding? {
        let says = root.string("EncodingType")?.lowercased() == "url"
        // Bytes that an encoding would not leave as they are.
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

    /// Returns the bytes of a key, which are not always UTF-8.
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

/// The position at which the next page of a listing begins, when the server has written it in a way of its own.
///
/// Ceph encodes keys and leaves markers as they are, in one document; taken for encoded, a marker with `%` or `+` is
/// another one, and what is between the two is never listed.
struct ListingMarker {
    /// The text as it stands in the document.
    var text: [UInt8]
    /// The encoding; `nil` when the document can be read both ways.
    var encoding: ListingEncoding?

    /// Returns whether the marker names a key in one of the ways it can be written.
    func names(_ key: [UInt8]) -> Bool {
        text == key || ListingEncoding.url.decode(text) == key
    }

    /// Returns the key to ask for when the page has nothing to compare the marker with.
    ///
    /// Of two ways to read it the one that comes first: listing something twice is better than passing it over.
    ///
    /// - Parameter previous: The key at which this page began.
    func key(after previous: [UInt8]?) -> [UInt8] {
        let readings = [text, ListingEncoding.url.decode(text)].sorted { $0.lexicographicallyPrecedes($1) }
        let later = readings.first { reading in previous.map { $0.lexicographicallyPrecedes(reading) } ?? true }
        return later ?? (encoding ?? .plain).decode(text)
    }
}
