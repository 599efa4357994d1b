/// Writes blocks of deflate that compressors do not write (RFC 1951, section 3.2).
struct DeflateWriter {
    private(set) var bytes: [UInt8] = []
    private var hold: UInt64 = 0
    private var count = 0

    /// A block with the fixed codes and nothing in it: ten bits.
    mutating func emptyFixedBlock() {
        put(0, 1)
        put(1, 2)
        put(0, 7)
    }

    /// A block with the fixed codes that repeats a zero: 258 bytes for 13 bits.
    mutating func zeros(_ amount: Int, isLast: Bool) {
        put(isLast ? 1 : 0, 1)
        put(1, 2)
        put(code: 0x30, 8)
        for _ in 0..<amount / 258 {
            put(code: 0b1100_0101, 8)
            put(0, 5)
        }
        put(0, 7)
    }

    /// Fills the last byte.
    mutating func align() {
        if count > 0 { put(0, 8 - count) }
    }

    private mutating func put(_ value: UInt64, _ bits: Int) {
        hold |= value << UInt64(count)
        count += bits
        while count >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: hold))
            hold >>= 8
            count -= 8
        }
    }

    /// Huffman codes are packed beginning with their highest bit.
    private mutating func put(code: Int, _ bits: Int) {
        for bit in stride(from: bits - 1, through: 0, by: -1) { put(UInt64(code >> bit & 1), 1) }
    }
}
