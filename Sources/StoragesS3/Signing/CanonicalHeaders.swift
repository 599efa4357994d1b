import Storages
import StoragesHTTP

/// The headers of a request that are signed, in the canonical form of Signature Version 4.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
struct CanonicalHeaders {
    /// A line `name:value` for each name, the line break after each included.
    private(set) var lines: [UInt8] = []
    /// The names, with `;` between them.
    private(set) var names: [UInt8] = []

    /// Creates the canonical headers: lowers and sorts names, trims values, squeezes their inner blanks, and joins
    /// headers of one name.
    ///
    /// - Parameters:
    ///   - fields: The headers of the request, `Host` among them.
    ///   - added: The headers of the signature; headers of the request with these names, which are in lower case, are
    ///     left out, as they are of an earlier attempt. All begin with `x-amz-`.
    ///   - signsContentLength: Whether `Content-Length` is signed.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a header that may not be sent.
    init(_ fields: [HTTPHeaders.Field], adding added: [HTTPHeaders.Field], signsContentLength: Bool) throws {
        var text: [UInt8] = []
        text.reserveCapacity(1024)
        var entries: [Entry] = []
        entries.reserveCapacity(fields.count + added.count)
        func append(_ field: HTTPHeaders.Field) throws {
            let start = text.count
            try CanonicalHeaders.append(name: field.name, to: &text)
            let middle = text.count
            try CanonicalHeaders.append(value: field.value, of: field.name, to: &text)
            entries.append(Entry(name: start..<middle, value: middle..<text.count))
        }
        for field in fields where CanonicalHeaders.isSigned(field.name, signsContentLength) {
            let isReplaced =
                CanonicalHeaders.isOfAmazon(field.name)
                && added.contains { HTTPHeaders.areEqual($0.name, field.name) }
            if !isReplaced { try append(field) }
        }
        for field in added { try append(field) }
        write(entries, of: text)
    }

    private mutating func write(_ entries: consuming [Entry], of text: [UInt8]) {
        lines.reserveCapacity(text.count + 2 * entries.count)
        names.reserveCapacity(128)
        var entries = entries
        text.withUnsafeBufferPointer { text in
            ByteOrder.sort(&entries) { ByteOrder.compare($0.name, with: $1.name, of: text) < 0 }
            var previous: Entry?
            for entry in entries {
                if let previous, ByteOrder.compare(previous.name, with: entry.name, of: text) == 0 {
                    lines.append(UInt8(ascii: ","))
                } else {
                    if previous != nil {
                        lines.append(UInt8(ascii: "\n"))
                        names.append(UInt8(ascii: ";"))
                    }
                    lines.append(contentsOf: UnsafeBufferPointer(rebasing: text[entry.name]))
                    lines.append(UInt8(ascii: ":"))
                    names.append(contentsOf: UnsafeBufferPointer(rebasing: text[entry.name]))
                }
                lines.append(contentsOf: UnsafeBufferPointer(rebasing: text[entry.value]))
                previous = entry
            }
        }
        if !entries.isEmpty { lines.append(UInt8(ascii: "\n")) }
    }

    private struct Entry {
        var name: Range<Int>
        var value: Range<Int>
    }

    private static func append(name: String, to text: inout [UInt8]) throws {
        var copy = name
        let isToken = copy.withUTF8 { utf8 in
            var isToken = !utf8.isEmpty
            let start = text.count
            text.append(contentsOf: utf8)
            for (offset, byte) in utf8.enumerated() {
                isToken = HeaderValidation.isTokenCharacter(byte) && isToken
                if byte >= 0x41, byte <= 0x5A { text[start + offset] = byte | 0x20 }
            }
            return isToken
        }
        if !isToken { try HeaderValidation.checkName(name) }
    }

    private static func append(value: String, of name: String, to text: inout [UInt8]) throws {
        let blank = UInt8(ascii: " ")
        var copy = value
        let isClean = copy.withUTF8 { utf8 in
            var isClean = true
            var isSqueezed = utf8.first != blank && utf8.last != blank
            var isAfterBlank = false
            for byte in utf8 {
                isClean = !HeaderValidation.isControl(byte) && isClean
                isSqueezed = !(isAfterBlank && byte == blank) && isSqueezed
                isAfterBlank = byte == blank
            }
            if isSqueezed {
                text.append(contentsOf: utf8)
            } else {
                appendSqueezed(utf8, to: &text)
            }
            return isClean
        }
        if !isClean { try HeaderValidation.checkValue(value, of: name) }
    }

    private static func appendSqueezed(_ value: UnsafeBufferPointer<UInt8>, to text: inout [UInt8]) {
        let start = text.count
        for byte in value {
            // One blank at most, and none at the beginning.
            if byte == UInt8(ascii: " "), text.count == start || text.last == UInt8(ascii: " ") { continue }
            text.append(byte)
        }
        if text.count > start, text.last == UInt8(ascii: " ") { text.removeLast() }
    }

    // MARK: Signed headers

    /// The headers that proxies and clients change or drop on the way: a signature over these would break.
    private static let unsigned = [
        "authorization", "user-agent", "connection", "keep-alive", "expect", "te", "trailer", "transfer-encoding",
        "upgrade", "x-amzn-trace-id", "accept-encoding",
    ]

    static func isSigned(_ name: String, _ signsContentLength: Bool) -> Bool {
        // Most headers of a request to S3 are of this kind.
        if isOfAmazon(name) { return true }
        if HTTPHeaders.areEqual(name, "content-length") { return signsContentLength }
        return !hasPrefix("proxy-", name) && !unsigned.contains { HTTPHeaders.areEqual($0, name) }
    }

    private static func isOfAmazon(_ name: String) -> Bool { hasPrefix("x-amz-", name) }

    /// Returns whether a header's name, in any case, begins with a prefix of lower-case letters and hyphens.
    static func hasPrefix(_ prefix: StaticString, _ name: String) -> Bool {
        var copy = name
        return copy.withUTF8 { name in
            prefix.withUTF8Buffer { prefix in
                // With the bit of lower case set, letters are equal whatever their case; a hyphen has it already.
                name.count >= prefix.count && prefix.indices.allSatisfy { name[$0] | 0x20 == prefix[$0] }
            }
        }
    }
}
