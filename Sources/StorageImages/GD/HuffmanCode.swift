/// A canonical Huffman code of deflate: a table for codes of up to ten bits, a search for the longer ones.
///
/// One table for all fifteen bits would let a file of tiny blocks buy 32,768 writes for a dozen bytes.
struct HuffmanCode {
    private static let rootBits = 10

    private var root = [UInt16](repeating: 0, count: 1 << rootBits)
    private var counts = [Int](repeating: 0, count: 16)
    private var symbols = [UInt16](repeating: 0, count: 288)
    // Kept between builds, as a stream may have thousands of blocks.
    private var offsets = [Int](repeating: 0, count: 17)
    private var nextCode = [Int](repeating: 0, count: 17)

    /// Takes the code lengths of the symbols, 0 for a symbol that does not occur.
    mutating func build(_ lengths: ArraySlice<UInt8>, mustBeComplete: Bool = false) throws(InflateScan.Failure) {
        for length in 0..<16 { counts[length] = 0 }
        for length in lengths { counts[Int(length)] += 1 }
        counts[0] = 0
        var left = 1
        var longest = 0
        for length in 1..<16 {
            left = left << 1 - counts[length]
            guard left >= 0 else { throw .invalid }
            if counts[length] > 0 { longest = length }
        }
        // As zlib: the one incomplete code that is allowed has a single symbol of one bit; none at all is no error
        // until it is used.
        guard left == 0 || longest == 0 || (longest == 1 && !mustBeComplete) else { throw .invalid }

        offsets[1] = 0
        nextCode[1] = 0
        for length in 1..<16 {
            offsets[length + 1] = offsets[length] + counts[length]
            nextCode[length + 1] = (nextCode[length] + counts[length]) << 1
        }
        for index in root.indices { root[index] = 0 }
        for (symbol, length) in lengths.enumerated() where length > 0 {
            let length = Int(length)
            symbols[offsets[length]] = UInt16(symbol)
            offsets[length] += 1
            let code = nextCode[length]
            nextCode[length] += 1
            guard length <= Self.rootBits else { continue }
            var index = Self.reversed(code, length: length)
            while index < root.count {
                root[index] = UInt16(symbol << 4 | length)
                index += 1 << length
            }
        }
    }

    /// The symbol at the low end of `bits` and the length of its code, 0 when no code fits.
    func lookUp(_ bits: UInt64) -> (symbol: Int, length: Int) {
        let entry = Int(root[Int(truncatingIfNeeded: bits & UInt64(1 << Self.rootBits - 1))])
        if entry != 0 { return (entry >> 4, entry & 15) }
        var code = 0
        var first = 0
        var index = 0
        for length in 1..<16 {
            code |= Int(truncatingIfNeeded: bits >> UInt64(length - 1) & 1)
            let count = counts[length]
            if code - count < first { return (Int(symbols[index + code - first]), length) }
            index += count
            first = (first + count) << 1
            code <<= 1
        }
        return (0, 0)
    }

    private static func reversed(_ code: Int, length: Int) -> Int {
        var result = 0
        for bit in 0..<length where code >> bit & 1 == 1 { result |= 1 << (length - 1 - bit) }
        return result
    }
}
