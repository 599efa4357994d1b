/// A classification of the bytes and scalars of a name, for the loops that must not ask the Unicode tables about each.
enum NameBytes {
    /// The treatment of a byte or scalar under ``StorageNamePolicy/unicode``.
    enum Kind: UInt8 {
        case keep, drop, space, dot, separator, null, control, textDirection, multibyte
    }

    /// The kind of every byte.
    static let kinds: [Kind] = (0...255).map { (byte: UInt8) -> Kind in
        switch byte {
        case 0: .null
        case 1..<0x20, 0x7F: .control
        case UInt8(ascii: "."): .dot
        case UInt8(ascii: " "): .space
        case UInt8(ascii: "/"), UInt8(ascii: "\\"): .separator
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"):
            .keep
        case 0x80...: .multibyte
        default: .drop
        }
    }

    /// The kind of a plain scalar above ASCII, `nil` for all others.
    ///
    /// Plain are scalars that stay as they are in NFC whatever stands around them (their NFC_Quick_Check is Yes and
    /// their combining class 0: Unicode Standard Annex #15, section 9), so text of these alone is in NFC, and so is
    /// what remains of it when some are dropped. The tests compare this list with the tables for every scalar there is.
    @inline(__always)
    static func plainKind(of value: UInt32) -> Kind? {
        switch value {
        case 0x80..<0xA0: .control
        case 0xA0: .space
        case 0xA1..<0xC0:
            switch value {
            case 0xAA, 0xB2, 0xB3, 0xB5, 0xB9, 0xBA, 0xBC, 0xBD, 0xBE: .keep
            default: .drop
            }
        case 0xD7, 0xF7: .drop
        case 0xC0..<0x2C2: .keep
        case 0x370..<0x374, 0x376, 0x377, 0x37B..<0x37E, 0x37F, 0x386, 0x388..<0x38B, 0x38C, 0x38E..<0x3A2,
            0x3A3..<0x3F6, 0x3F7..<0x482, 0x48A..<0x530:
            .keep
        case 0x5D0..<0x5EB, 0x620..<0x64B, 0x660..<0x66A, 0x671..<0x6D4: .keep
        case 0xE01..<0xE31, 0xE50..<0xE5A: .keep
        case 0x1E00..<0x1F00: .keep
        case 0x2002..<0x200B, 0x202F, 0x2028, 0x2029, 0x3000: .space
        case 0x200E, 0x200F, 0x202A..<0x202F, 0x2066..<0x206A, 0x61C: .textDirection
        case 0x200B..<0x200E, 0x2010..<0x2028: .drop
        case 0x3001..<0x3005, 0x3008..<0x3021: .drop
        case 0x3005..<0x3008, 0x3021..<0x302A: .keep
        case 0x3041..<0x3097, 0x309D..<0x30A0, 0x30A1..<0x30FB, 0x30FC..<0x3100, 0x3400..<0x4DC0, 0x4E00..<0xA000,
            0xAC00..<0xD7A4:
            .keep
        case 0xFE00..<0xFE10: .keep
        case 0xFF10..<0xFF1A, 0xFF21..<0xFF3B, 0xFF41..<0xFF5B: .keep
        case 0xFF01..<0xFF61: .drop
        case 0x1F300..<0x1FB00: .drop
        default: nil
        }
    }

    /// Decodes the scalar of two to four bytes that begins at an index of valid UTF-8.
    @inline(__always)
    static func scalar(
        in input: UnsafeBufferPointer<UInt8>,
        at index: Int
    ) -> (value: UInt32, length: Int) {
        let lead = UInt32(input[index])
        func next(_ offset: Int) -> UInt32 { UInt32(input[index + offset] & 0x3F) }
        if lead < 0xE0 { return ((lead & 0x1F) << 6 | next(1), 2) }
        if lead < 0xF0 { return ((lead & 0x0F) << 12 | next(1) << 6 | next(2), 3) }
        return ((lead & 0x07) << 18 | next(1) << 12 | next(2) << 6 | next(3), 4)
    }
}
