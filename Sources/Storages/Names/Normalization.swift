import Foundation

/// NFC without Foundation for the text of most names.
enum Normalization {
    /// Returns whether a text is in NFC for a reason that needs no tables: all its scalars are plain.
    static func isPlainlyComposed(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isPlainlyComposed($0) }
    }

    /// Returns the same for valid UTF-8.
    static func isPlainlyComposed(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = 0
        while index < utf8.count {
            guard utf8[index] >= 0x80 else {
                index += 1
                continue
            }
            let (value, length) = NameBytes.scalar(in: utf8, at: index)
            guard NameBytes.plainKind(of: value) != nil else { return false }
            index += length
        }
        return true
    }

    /// The text in NFC.
    static func composed(_ text: String) -> String {
        isPlainlyComposed(text) ? text : text.precomposedStringWithCanonicalMapping
    }
}
