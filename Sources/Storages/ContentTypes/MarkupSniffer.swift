/// Finds markup at the beginning of a text, as a browser that guesses types would (WHATWG MIME Sniffing, section 7.1).
struct MarkupSniffer {
    /// The bytes in lower case, without a byte order mark and white space in front; UTF-16 narrowed to its ASCII.
    private let text: [UInt8]
    /// A Boolean value that indicates whether the bytes have none that a text never contains.
    let isText: Bool

    init(_ head: [UInt8]) {
        var bytes = head[...]
        var isWide = false
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            bytes = bytes.dropFirst(3)
        } else if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) {
            isWide = true
            bytes = bytes.dropFirst(2).filter { $0 != 0 }[...]
        }
        isText = isWide || MarkupSniffer.isUTF8Text(bytes)
        text = bytes.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }.map { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
        }
    }

    /// The type of markup; `nil` when the text does not begin with any.
    var contentType: ContentType? {
        guard text.first == UInt8(ascii: "<") else { return nil }
        var rest = text[...]
        var isXML = false
        // Declarations, comments and document types may come before the element that tells what it is.
        for _ in 0..<64 {
            rest = rest.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
            if rest.starts(with: "<!--".utf8) {
                guard let end = end(of: "-->", in: rest) else { return isXML ? .xml : .html }
                rest = rest[end...]
            } else if rest.starts(with: "<?xml".utf8) {
                isXML = true
                guard let end = end(of: "?>", in: rest) else { return .xml }
                rest = rest[end...]
            } else if isXML, rest.starts(with: "<?".utf8) {
                guard let end = end(of: "?>", in: rest) else { return .xml }
                rest = rest[end...]
            } else if rest.starts(with: "<!doctype html".utf8) {
                return isXML ? .xhtml : .html
            } else if rest.starts(with: "<!doctype svg".utf8) {
                return .svg
            } else if rest.starts(with: "<!doctype".utf8), let end = end(of: ">", in: rest) {
                isXML = true
                rest = rest[end...]
            } else {
                break
            }
        }
        return element(rest, isXML: isXML)
    }

    private func element(_ rest: ArraySlice<UInt8>, isXML: Bool) -> ContentType? {
        guard rest.first == UInt8(ascii: "<") else { return isXML ? .xml : nil }
        let name = rest.dropFirst().prefix { byte in
            byte > 0x20 && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "/")
        }
        let isComplete = name.endIndex < rest.endIndex
        let tag = String(decoding: name, as: UTF8.self)
        if tag == "svg" || tag.hasSuffix(":svg") { return .svg }
        if isXML { return tag == "html" ? .xhtml : .xml }
        return isComplete && MarkupSniffer.htmlTags.contains(tag) ? .html : nil
    }

    private static func isUTF8Text(_ bytes: ArraySlice<UInt8>) -> Bool {
        let hasControls = bytes.contains { byte in
            byte < 0x20 && !(0x09...0x0D).contains(byte) && byte != 0x1B || byte == 0x7F
        }
        guard !hasControls else { return false }
        // The last scalar may be cut where the beginning of the file ends.
        return (0...3).contains { String(validating: bytes.dropLast($0), as: UTF8.self) != nil && bytes.count > $0 }
    }

    private func end(of text: StaticString, in bytes: ArraySlice<UInt8>) -> Int? {
        text.withUTF8Buffer { wanted in
            bytes.indices.first { bytes[$0...].starts(with: wanted) }.map { $0 + wanted.count }
        }
    }

    // The standard's list, and the elements besides that run code or load it.
    private static let htmlTags: Set<String> = [
        "html", "head", "script", "iframe", "h1", "div", "font", "table", "a", "style", "title", "b", "body", "br", "p",
        "img", "object", "embed", "link", "meta", "base", "form", "frameset", "template", "video", "audio",
    ]
}
