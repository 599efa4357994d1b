/// Walks over a zlib stream (RFC 1950, RFC 1951) to learn where it ends and how much it inflates to, and, when asked
/// to, inflates it.
///
/// It is what keeps libpng silent: surplus or damaged bytes at the end of the image data make libpng warn on standard
/// error and carry on, so such streams must be known before libpng sees them. Walking without output costs a fraction
/// of a decode, as no window is kept and nothing is copied.
struct InflateScan {
    /// The reason why the scan of a stream ended early.
    enum Failure: Error, Hashable {
        /// It breaks a rule of the format.
        case invalid
        /// The bytes end before the stream does.
        case truncated
        /// It inflates to more than was expected.
        case surplus
        /// It is cut into so many blocks that its tables cost more than its bytes.
        case tooManyBlocks
    }

    /// The result of scanning a whole stream.
    struct Summary: Hashable {
        /// The number of bytes of the stream, with header and check value.
        var byteCount: Int
        /// The number of bytes it inflates to.
        var outputCount: Int
        /// The offset in the stream at which the last piece begins that inflates to anything.
        var lastOutputOffset: Int
    }

    private let input: UnsafeRawBufferPointer
    private let output: UnsafeMutableRawBufferPointer?
    private let expected: Int
    private var position = 0
    private var hold: UInt64 = 0
    private var bitCount = 0
    private var produced = 0
    private var lastOutputOffset = 0
    private var literals = HuffmanCode()
    private var distances = HuffmanCode()
    private var lengths = [UInt8](repeating: 0, count: 320)
    private var codedBlocks = 0
    private var hasFixedCodes = false

    /// Walks over a stream.
    ///
    /// - Parameters:
    ///   - input: The stream; bytes after its end are not looked at.
    ///   - expected: The most bytes that it may inflate to.
    ///   - output: Where to put them, of `expected` bytes; `nil` to count only.
    /// - Returns: Where the stream ends and how much it inflates to, which may be less than expected.
    /// - Throws: ``Failure``.
    static func run(
        _ input: UnsafeRawBufferPointer,
        expected: Int,
        output: UnsafeMutableRawBufferPointer? = nil
    ) throws(Failure) -> Summary {
        var scan = InflateScan(input: input, output: output, expected: expected)
        return try scan.run()
    }

    private init(input: UnsafeRawBufferPointer, output: UnsafeMutableRawBufferPointer?, expected: Int) {
        self.input = input
        self.output = output
        self.expected = expected
    }

    private mutating func run() throws(Failure) -> Summary {
        guard input.count >= 2 else { throw .truncated }
        let method = Int(input[0])
        let flags = Int(input[1])
        guard method & 15 == 8, method >> 4 <= 7, (method << 8 | flags) % 31 == 0, flags & 0x20 == 0 else {
            throw .invalid
        }
        position = 2
        var isLast = false
        while !isLast {
            isLast = try take(1) == 1
            switch try take(2) {
            case 0: try stored()
            case 1:
                try countBlock()
                try fixed()
            case 2:
                try countBlock()
                try dynamic()
            default: throw .invalid
            }
        }
        try finish()
        return Summary(byteCount: position, outputCount: produced, lastOutputOffset: lastOutputOffset)
    }

    private mutating func finish() throws(Failure) {
        rewindToByte()
        guard input.count - position >= 4 else { throw .truncated }
        if let output {
            var check: UInt32 = 0
            for index in position..<position + 4 { check = check << 8 | UInt32(input[index]) }
            guard Adler32.checksum(UnsafeRawBufferPointer(rebasing: output[..<produced])) == check else {
                throw .invalid
            }
        }
        position += 4
    }

    // MARK: Blocks

    private mutating func stored() throws(Failure) {
        rewindToByte()
        guard input.count - position >= 4 else { throw .truncated }
        let count = Int(input[position]) | Int(input[position + 1]) << 8
        let complement = Int(input[position + 2]) | Int(input[position + 3]) << 8
        guard count ^ complement == 0xFFFF else { throw .invalid }
        position += 4
        guard input.count - position >= count else { throw .truncated }
        guard produced + count <= expected else { throw .surplus }
        guard count > 0 else { return }
        if let output {
            UnsafeMutableRawBufferPointer(rebasing: output[produced..<produced + count])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: input[position..<position + count]))
        }
        produced += count
        position += count
        lastOutputOffset = position - 1
    }

    /// Counts a block with codes, and gives up when there are too many.
    ///
    /// An empty block takes ten bits, but costs the building of its tables. Compressors make blocks of kilobytes;
    /// a writer that flushes after every row stays below one in 64 bytes.
    private mutating func countBlock() throws(Failure) {
        codedBlocks += 1
        guard codedBlocks <= 1024 + input.count / 64 else { throw .tooManyBlocks }
    }

    private mutating func fixed() throws(Failure) {
        if hasFixedCodes { return try compressed() }
        hasFixedCodes = true
        for symbol in 0..<288 {
            lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8
        }
        try literals.build(lengths[..<288])
        for symbol in 0..<32 { lengths[symbol] = 5 }
        try distances.build(lengths[..<32])
        try compressed()
    }

    private mutating func dynamic() throws(Failure) {
        hasFixedCodes = false
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let codeCount = try take(4) + 4
        guard literalCount <= 286, distanceCount <= 30 else { throw .invalid }
        for index in 0..<19 { lengths[index] = 0 }
        for index in 0..<codeCount { lengths[Self.codeLengthOrder[index]] = UInt8(try take(3)) }
        try literals.build(lengths[..<19], mustBeComplete: true)

        let total = literalCount + distanceCount
        var index = 0
        while index < total {
            let symbol = try literal()
            if symbol < 16 {
                lengths[index] = UInt8(symbol)
                index += 1
                continue
            }
            var value: UInt8 = 0
            let count: Int
            switch symbol {
            case 16:
                guard index > 0 else { throw .invalid }
                value = lengths[index - 1]
                count = try take(2) + 3
            case 17: count = try take(3) + 3
            default: count = try take(7) + 11
            }
            guard index + count <= total else { throw .invalid }
            for _ in 0..<count {
                lengths[index] = value
                index += 1
            }
        }
        // Without an end-of-block code the block could never end.
        guard lengths[256] != 0 else { throw .invalid }
        try literals.build(lengths[..<literalCount])
        try distances.build(lengths[literalCount..<total])
        try compressed()
    }

    private mutating func compressed() throws(Failure) {
        while true {
            let start = (position * 8 - bitCount) >> 3
            let symbol = try literal()
            if symbol < 256 {
                guard produced < expected else { throw .surplus }
                output?[produced] = UInt8(symbol)
                produced += 1
                lastOutputOffset = start
                continue
            }
            if symbol == 256 { return }
            guard symbol <= 285 else { throw .invalid }
            let length = Self.lengthBase[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
            let distanceSymbol = try distance()
            guard distanceSymbol <= 29 else { throw .invalid }
            let distance = Self.distanceBase[distanceSymbol] + (try take(Self.distanceBits[distanceSymbol]))
            guard distance <= produced else { throw .invalid }
            guard produced + length <= expected else { throw .surplus }
            if let output {
                // Byte by byte: source and destination overlap when a run is repeated.
                for index in produced..<produced + length { output[index] = output[index - distance] }
            }
            produced += length
            lastOutputOffset = start
        }
    }

    // MARK: Bits

    private mutating func refill() {
        while bitCount <= 56, position < input.count {
            hold |= UInt64(input[position]) << UInt64(bitCount)
            bitCount += 8
            position += 1
        }
    }

    private mutating func take(_ count: Int) throws(Failure) -> Int {
        guard count > 0 else { return 0 }
        if bitCount < count {
            refill()
            guard bitCount >= count else { throw .truncated }
        }
        let value = Int(truncatingIfNeeded: hold & (1 << UInt64(count) - 1))
        hold >>= UInt64(count)
        bitCount -= count
        return value
    }

    /// Drops the rest of the current byte and gives whole bytes back to the input.
    private mutating func rewindToByte() {
        position -= bitCount >> 3
        hold = 0
        bitCount = 0
    }

    private mutating func literal() throws(Failure) -> Int {
        if bitCount < 15 { refill() }
        return try consume(literals.lookUp(hold))
    }

    private mutating func distance() throws(Failure) -> Int {
        if bitCount < 15 { refill() }
        return try consume(distances.lookUp(hold))
    }

    private mutating func consume(_ found: (symbol: Int, length: Int)) throws(Failure) -> Int {
        let (symbol, length) = found
        guard length <= bitCount else { throw .truncated }
        guard length > 0 else { throw bitCount < 15 ? .truncated : .invalid }
        hold >>= UInt64(length)
        bitCount -= length
        return symbol
    }

    // MARK: Tables of RFC 1951, sections 3.2.5 and 3.2.7

    private static let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227,
        258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
        6145,
        8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
    ]
}
