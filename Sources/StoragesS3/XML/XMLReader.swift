import NIOCore
import StoragesHTTP

/// Reads small XML documents from servers that are not trusted.
///
/// It takes elements, text, CDATA, the five entities of XML and numeric ones, in UTF-8. Attributes, comments and
/// processing instructions are skipped, prefixes dropped. There is no document type, hence nothing that expands: time
/// and memory are linear in the length of the input. White space before the document is skipped, because S3 sends it
/// for minutes while it works.
struct XMLReader {
    struct Limits: Hashable, Sendable {
        var bytes = 16 << 20
        var depth = 32
        var elements = 200_000
    }

    private struct OpenElement {
        /// The position of the name, with its prefix.
        var name: Range<Int>
        var element: XMLElement
    }

    private let bytes: [UInt8]
    private let limits: Limits
    private var position = 0
    private var open: [OpenElement] = []
    private var root: XMLElement?
    private var elementCount = 0

    private init(_ bytes: [UInt8], limits: Limits) {
        self.bytes = bytes
        self.limits = limits
    }

    /// Reads a document.
    ///
    /// - Returns: Its root.
    static func read(_ buffer: ByteBuffer, limits: Limits = Limits()) throws(XMLError) -> XMLElement {
        guard buffer.readableBytes <= limits.bytes else { throw XMLError(.tooLarge, at: limits.bytes) }
        let bytes = Array(buffer.readableBytesView)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw XMLError(.notUTF8, at: 0) }
        var reader = XMLReader(bytes, limits: limits)
        try reader.readDocument()
        guard let root = reader.root else { throw XMLError(.truncated, at: bytes.count) }
        return root
    }

    /// Reads what can be read of a document that may be cut or damaged.
    ///
    /// - Returns: The root with the elements that were whole; `nil` when there is not even a root.
    static func salvage(_ buffer: ByteBuffer, limits: Limits = Limits()) -> XMLElement? {
        var reader = XMLReader(Array(buffer.readableBytesView.prefix(limits.bytes)), limits: limits)
        do {
            try reader.readDocument()
        } catch {
            // The innermost open element is incomplete and its text with it; those around it hold what came before.
            if reader.open.count > 1 { reader.open.removeLast() }
            while !reader.open.isEmpty { reader.close() }
        }
        return reader.root
    }

    static func isWhiteSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    // MARK: Document

    private mutating func readDocument() throws(XMLError) {
        if starts(with: "\u{FEFF}") { position += 3 }
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "<") {
                try readMarkup()
            } else if !open.isEmpty {
                try readText()
            } else if XMLReader.isWhiteSpace(bytes[position]) {
                position += 1
            } else {
                throw XMLError(.malformed, at: position)
            }
        }
        guard open.isEmpty, root != nil else { throw XMLError(.truncated, at: position) }
    }

    /// Reads markup, which begins with `<`.
    private mutating func readMarkup() throws(XMLError) {
        guard position + 1 < bytes.count else { throw XMLError(.truncated, at: position) }
        switch bytes[position + 1] {
        case UInt8(ascii: "/"): try readEndTag()
        case UInt8(ascii: "?"): try skipInstruction()
        case UInt8(ascii: "!"): try readDeclaration()
        default: try readStartTag()
        }
    }

    private mutating func readDeclaration() throws(XMLError) {
        if starts(with: "<!--") {
            position = try end(of: "-->", from: position + 4)
        } else if starts(with: "<![CDATA[") {
            guard !open.isEmpty else { throw XMLError(.malformed, at: position) }
            let start = position + 9
            position = try end(of: "]]>", from: start)
            open[open.count - 1].element.text += bytes[start..<position - 3]
        } else if starts(with: "<!DOCTYPE") {
            throw XMLError(.documentType, at: position)
        } else {
            let rest = bytes[position...]
            let isCut = ["<!--", "<![CDATA[", "<!DOCTYPE"].contains { $0.utf8.starts(with: rest) }
            throw XMLError(isCut ? .truncated : .malformed, at: position)
        }
    }

    private mutating func skipInstruction() throws(XMLError) {
        let start = position
        position = try end(of: "?>", from: position + 2)
        let instruction = String(decoding: bytes[start..<position], as: UTF8.self).lowercased()
        guard instruction.hasPrefix("<?xml ") || instruction.hasPrefix("<?xml\t") else { return }
        let parts = instruction.split { " \t\r\n='\"?".contains($0) }
        guard let label = parts.firstIndex(of: "encoding"), label + 1 < parts.count else { return }
        // ASCII is UTF-8.
        guard ["utf-8", "utf8", "us-ascii", "ascii"].contains(parts[label + 1]) else {
            throw XMLError(.notUTF8, at: start)
        }
    }

    // MARK: Tags

    private mutating func readStartTag() throws(XMLError) {
        let start = position
        guard root == nil else { throw XMLError(.malformed, at: start) }
        guard open.count < limits.depth else { throw XMLError(.tooDeep, at: start) }
        elementCount += 1
        guard elementCount <= limits.elements else { throw XMLError(.tooLarge, at: start) }
        position += 1
        let name = try readName()
        let isEmpty = try skipAttributes()
        // The text of an element with children is its layout.
        if !open.isEmpty { open[open.count - 1].element.text = [] }
        open.append(OpenElement(name: name.whole, element: XMLElement(name: name.local)))
        if isEmpty { close() }
    }

    /// Skips to the end of a start tag.
    ///
    /// - Returns: Whether the element ends there, too.
    private mutating func skipAttributes() throws(XMLError) -> Bool {
        while true {
            let isSeparated = skipWhiteSpace()
            switch try current() {
            case UInt8(ascii: ">"):
                position += 1
                return false
            case UInt8(ascii: "/"):
                position += 1
                try expect(UInt8(ascii: ">"))
                return true
            default:
                guard isSeparated else { throw XMLError(.malformed, at: position) }
                try skipAttribute()
            }
        }
    }

    private mutating func skipAttribute() throws(XMLError) {
        _ = try readName()
        skipWhiteSpace()
        try expect(UInt8(ascii: "="))
        skipWhiteSpace()
        let quote = try current()
        guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
            throw XMLError(.malformed, at: position)
        }
        position += 1
        while try current() != quote {
            guard bytes[position] != UInt8(ascii: "<") else { throw XMLError(.malformed, at: position) }
            position += 1
        }
        position += 1
    }

    private mutating func readEndTag() throws(XMLError) {
        let start = position
        position += 2
        let name = try readName()
        skipWhiteSpace()
        try expect(UInt8(ascii: ">"))
        guard let last = open.last, bytes[last.name] == bytes[name.whole] else { throw XMLError(.malformed, at: start) }
        close()
    }

    private mutating func close() {
        guard var element = open.popLast()?.element else { return }
        if !element.children.isEmpty { element.text = [] }
        if open.isEmpty {
            root = element
        } else {
            open[open.count - 1].element.children.append(element)
        }
    }

    private mutating func readName() throws(XMLError) -> (whole: Range<Int>, local: String) {
        let start = position
        var localStart = position
        while position < bytes.count, XMLReader.isNameByte(bytes[position]) {
            if bytes[position] == UInt8(ascii: ":") { localStart = position + 1 }
            position += 1
        }
        guard position < bytes.count else { throw XMLError(.truncated, at: position) }
        guard localStart < position, bytes[start] != UInt8(ascii: ":"),
            !"-.0123456789".utf8.contains(bytes[start])
        else { throw XMLError(.malformed, at: start) }
        return (start..<position, String(decoding: bytes[localStart..<position], as: UTF8.self))
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        HostName.isAlphanumeric(byte) || byte >= 0x80 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":")
    }

    // MARK: Text

    private mutating func readText() throws(XMLError) {
        let start = position
        while position < bytes.count, bytes[position] != UInt8(ascii: "<"), bytes[position] != UInt8(ascii: "&") {
            guard bytes[position] != 0 else { throw XMLError(.malformed, at: position) }
            position += 1
        }
        // White space after a child is layout; keeping it would only cost an allocation.
        if open[open.count - 1].element.children.isEmpty {
            open[open.count - 1].element.text += bytes[start..<position]
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: "&") { try readReference() }
    }

    private mutating func readReference() throws(XMLError) {
        let start = position
        let rest = bytes[start...].dropFirst().prefix(16)
        guard let end = rest.firstIndex(of: UInt8(ascii: ";")) else {
            throw XMLError(rest.endIndex == bytes.count ? .truncated : .unknownEntity, at: start)
        }
        let name = String(decoding: bytes[start + 1..<end], as: UTF8.self)
        guard let scalar = XMLReader.scalar(of: name) else { throw XMLError(.unknownEntity, at: start) }
        open[open.count - 1].element.text += Array(String(scalar).utf8)
        position = end + 1
    }

    private static func scalar(of reference: String) -> Unicode.Scalar? {
        switch reference {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        let isHexadecimal = reference.hasPrefix("#x")
        guard isHexadecimal || reference.hasPrefix("#") else { return nil }
        let digits = reference.dropFirst(isHexadecimal ? 2 : 1)
        // The initialiser of numbers takes a sign.
        guard digits.first != "+", let value = UInt32(digits, radix: isHexadecimal ? 16 : 10), value != 0 else {
            return nil
        }
        return Unicode.Scalar(value)
    }

    // MARK: Bytes

    private func starts(with text: String) -> Bool {
        bytes[position...].starts(with: text.utf8)
    }

    private func current() throws(XMLError) -> UInt8 {
        guard position < bytes.count else { throw XMLError(.truncated, at: position) }
        return bytes[position]
    }

    private mutating func expect(_ byte: UInt8) throws(XMLError) {
        guard try current() == byte else { throw XMLError(.malformed, at: position) }
        position += 1
    }

    @discardableResult
    private mutating func skipWhiteSpace() -> Bool {
        let start = position
        while position < bytes.count, XMLReader.isWhiteSpace(bytes[position]) { position += 1 }
        return position > start
    }

    /// Returns the position at which the first occurrence of a text ends.
    private func end(of text: StaticString, from start: Int) throws(XMLError) -> Int {
        let count = text.utf8CodeUnitCount
        let pattern = Array(text.description.utf8)
        var index = start
        while index + count <= bytes.count {
            if bytes[index] == pattern[0], bytes[index..<index + count].elementsEqual(pattern) { return index + count }
            index += 1
        }
        throw XMLError(.truncated, at: bytes.count)
    }
}

/// The reason why bytes are not an XML document that this library reads.
struct XMLError: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        /// The document ends before its root element does, or there is none.
        case truncated
        /// Text that is not UTF-8, or declared to be something else.
        case notUTF8
        /// A document type declaration, which may hold entities of any size.
        case documentType
        /// A reference to an entity other than the five of XML, or to a number that is no character.
        case unknownEntity
        /// More elements inside each other than the limit.
        case tooDeep
        /// More bytes, or more elements, than the limit.
        case tooLarge
        /// Anything else that is not well-formed.
        case malformed
    }

    var kind: Kind
    /// The position at which reading stopped, in bytes from the beginning.
    var offset: Int

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    var description: String {
        let reason =
            switch kind {
            case .truncated: "it ends too early"
            case .notUTF8: "it is not UTF-8"
            case .documentType: "it has a document type declaration"
            case .unknownEntity: "it refers to an unknown entity"
            case .tooDeep: "it is nested too deep"
            case .tooLarge: "it is too large"
            case .malformed: "it is not well-formed"
            }
        return "No usable XML: \(reason), at byte \(offset)."
    }
}
