import Storages

/// The fields of a request that are signed, as Signature Version 4 wants them.
struct CanonicalHeaders {
    /// A line `name:value` for each name, the line break after each included.
    private(set) var lines: [UInt8] = []
    /// The names, with `;` between them.
    private(set) var names: [UInt8] = []

    /// Lowers and sorts names, trims values, squeezes their inner blanks, and joins fields of one name.
    ///
    /// - Parameters:
    ///   - fields: Of the request, `Host` among them.
    ///   - added: What the signature brings along; fields of the request with these names, which are in lower case, are
    ///     left out, as they are of an earlier attempt.
    ///   - signsContentLength: Whether `Content-Length` is signed.
    /// - Throws: ``StorageError`` with code `invalidConfiguration` for a field that may not be sent.
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
            guard !added.contains(where: { HTTPHeaders.areEqual($0.name, field.name) }) else { continue }
            try append(field)
        }
        for field in added { try append(field) }
        write(entries, of: text)
    }

    private mutating func write(_ entries: consuming [Entry], of text: [UInt8]) {
        lines.reserveCapacity(text.count + 2 * entries.count)
        names.reserveCapacity(128)
        var entries = entries
        text.withUnsafeBufferPointer { text in
            ByteOrder.sort(&entries) { ByteOrder.compare(text[$0.name], text[$1.name]) < 0 }
            var previous: Entry?
            for entry in entries {
                if let previous, ByteOrder.compare(text[previous.name], text[entry.name]) == 0 {
                    lines.append(UInt8(ascii: ","))
                } else {
                    if previous != nil {
                        lines.append(UInt8(ascii: "\n"))
                        names.append(UInt8(ascii: ";"))
                    }
                    lines.append(contentsOf: text[entry.name])
                    lines.append(UInt8(ascii: ":"))
                    names.append(contentsOf: text[entry.name])
                }
                lines.append(contentsOf: text[entry.value])
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
        try HeaderValidation.checkName(name)
        for byte in name.utf8 {
            text.append(byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte)
        }
    }

    private static func append(value: String, of name: String, to text: inout [UInt8]) throws {
        let start = text.count
        let blank = UInt8(ascii: " ")
        // As if a blank were before the value, so that the first ones go.
        var isAfterBlank = true
        for byte in value.utf8 {
            if byte == blank, isAfterBlank { continue }
            isAfterBlank = byte == blank
            text.append(byte)
        }
        if text.count > start, text.last == blank { text.removeLast() }
        if text[start...].contains(where: HeaderValidation.isControl) {
            try HeaderValidation.checkValue(value, of: name)
        }
    }

    // MARK: Which fields

    /// What proxies and clients change or drop on the way: a signature over these would break.
    private static let unsigned = [
        "authorization", "user-agent", "connection", "keep-alive", "expect", "te", "trailer", "transfer-encoding",
        "upgrade", "x-amzn-trace-id", "accept-encoding",
    ]

    static func isSigned(_ name: String, _ signsContentLength: Bool) -> Bool {
        // Most names of a request to S3 begin so, and of them all are signed.
        if name.utf8.starts(with: "x-amz-".utf8) { return true }
        if HTTPHeaders.areEqual(name, "content-length") { return signsContentLength }
        // With the bit of lower case set, letters compare whatever their case; a hyphen has it already.
        if name.utf8.prefix(6).elementsEqual("proxy-".utf8, by: { $0 | 0x20 == $1 }) { return false }
        return !unsigned.contains { HTTPHeaders.areEqual($0, name) }
    }
}
