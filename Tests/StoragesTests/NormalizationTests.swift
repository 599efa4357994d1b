import Foundation
import Testing

@testable import Storages

@Suite("Check for normalized text")
struct NormalizationTests {
    @Test("Text that the quick check accepts as composed is composed by Foundation, too")
    func whatIsTakenForComposedIsSoByFoundationToo() {
        var plain = 0
        for value in UInt32(0)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let text = String(scalar)
            guard Normalization.isPlainlyComposed(text) else { continue }
            plain += 1
            #expect(scalar.properties.canonicalCombiningClass == .notReordered)
            // Alone, and after letters that compose with much: it must neither change nor be taken in.
            for before in ["", "a", "e", "\u{435}", "\u{304B}", "\u{AC00}", "\u{3B1}", "\u{627}", "\u{1EA1}"] {
                let pair = before + text
                let composed = pair.precomposedStringWithCanonicalMapping
                if !composed.utf8.elementsEqual(pair.utf8) {
                    Issue.record("U+\(String(value, radix: 16)) changes after \(before)")
                }
            }
        }
        #expect(plain > 40_000)
    }

    @Test("The quick classification of plain scalars agrees with the Unicode tables")
    func plainScalarsHaveTheKindThatTheTablesGiveThem() {
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), let kind = NameBytes.plainKind(of: value) else { continue }
            if kind != SegmentCleaner.kind(of: scalar) {
                Issue.record("U+\(String(value, radix: 16)) is taken for \(kind)")
            }
        }
    }

    @Test(
        "Text that is not composed is normalized by Foundation",
        arguments: ["e\u{301}", "\u{1100}\u{1161}", "\u{AC00}\u{11A8}", "\u{212B}", "\u{304B}\u{3099}", "\u{F900}"]
    )
    func whatIsNotComposedGoesToFoundation(_ text: String) {
        #expect(!Normalization.isPlainlyComposed(text))
        #expect(Normalization.composed(text).utf8.elementsEqual(text.precomposedStringWithCanonicalMapping.utf8))
    }
}
