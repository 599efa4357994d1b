extension Sequence<UInt8> {
    /// Two lower-case hexadecimal digits for each byte.
    package var hexadecimal: String { Array(self).hexadecimal }
}

// For arrays, and not generic: other modules would run the generic code unspecialised, ten times as slow.
extension [UInt8] {
    /// Two lower-case hexadecimal digits for each byte.
    package var hexadecimal: String {
        var digits: [UInt8] = []
        digits.reserveCapacity(count * 2)
        digits.append(hexadecimalOf: self)
        return String(decoding: digits, as: UTF8.self)
    }

    /// Appends two lower-case hexadecimal digits for each byte.
    package mutating func append(hexadecimalOf bytes: [UInt8]) {
        func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x61 - 10 + nibble }
        for byte in bytes {
            append(digit(byte >> 4))
            append(digit(byte & 15))
        }
    }
}
