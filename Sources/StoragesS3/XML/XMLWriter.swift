import NIOCore

/// Writes the bodies of requests.
struct XMLWriter {
    /// The namespace of all documents of S3.
    static let namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    private(set) var buffer: ByteBuffer

    /// Begins a document whose root is in the namespace of S3.
    init(root: String, capacity: Int = 256) {
        buffer = ByteBufferAllocator().buffer(capacity: capacity)
        buffer.writeString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(root) xmlns=\"\(XMLWriter.namespace)\">")
    }

    mutating func begin(_ name: String) {
        buffer.writeString("<\(name)>")
    }

    mutating func end(_ name: String) {
        buffer.writeString("</\(name)>")
    }

    /// Writes an element of text, which must be one that ``canExpress(_:)`` accepts.
    mutating func element(_ name: String, text: String) {
        element(name, text: Array(text.utf8))
    }

    /// Writes an element of text, which must be one that ``canExpress(_:)`` accepts.
    mutating func element(_ name: String, text: [UInt8]) {
        begin(name)
        var start = 0
        for (index, byte) in text.enumerated() {
            guard let reference = XMLWriter.reference(for: byte) else { continue }
            buffer.writeBytes(text[start..<index])
            buffer.writeString(reference)
            start = index + 1
        }
        buffer.writeBytes(text[start...])
        end(name)
    }

    /// Returns whether text can stand in a document of XML 1.0: UTF-8 without control characters, U+FFFE and U+FFFF.
    static func canExpress(_ text: [UInt8]) -> Bool {
        guard let string = String(validating: text, as: UTF8.self) else { return false }
        return string.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20
                ? scalar.value != 0xFFFE && scalar.value != 0xFFFF : "\t\n\r".unicodeScalars.contains(scalar)
        }
    }

    /// Returns the reference for a byte; readers turn a carriage return that is not a reference into a line feed, and
    /// some drop line feeds.
    private static func reference(for byte: UInt8) -> String? {
        switch byte {
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "\r"): "&#xD;"
        case UInt8(ascii: "\n"): "&#xA;"
        default: nil
        }
    }
}
