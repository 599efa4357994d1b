import Foundation

/// NFC without Foundation for the text of most names.
enum Normalization {
    /// Whether a text is in NFC for a reason that needs no tables.
    ///
    /// The blocks are those all of whose scalars stay as they are whatever stands around them: their NFC_Quick_Check is
    /// Yes and their combining class 0 (Unicode Standard Annex #15, section 9; DerivedNormalizationProps.txt). Latin,
    /// Cyrillic, kana, Chinese characters, Hangul syllables: text of these alone is in NFC, and so is what remains when
    /// scalars are dropped from it.
    static func isPlainlyComposed(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.value {
            case 0..<0x300, 0x400..<0x483, 0x48A..<0x530, 0x3041..<0x3097, 0x30A1..<0x30FB, 0x4E00..<0xA000,
                0xAC00..<0xD7A4:
                true
            default: false
            }
        }
    }

    /// The text in NFC.
    static func composed(_ text: String) -> String {
        isPlainlyComposed(text) ? text : text.precomposedStringWithCanonicalMapping
    }
}
