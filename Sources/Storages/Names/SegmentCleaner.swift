/// Cleans the segments of a path for ``StorageNamePolicy/unicode``, from UTF-8 bytes to UTF-8 bytes.
struct SegmentCleaner {
    private let output: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    /// Where the current segment begins in the output.
    private var start = 0
    /// Where the current segment ends without the dots and spaces at its end.
    private var solidEnd = 0
    private var hasPendingSpace = false
    private var hasDropped = false
    private var hasPlaceholder = false

    /// - Parameter output: Twice the size of the input, and 2 bytes.
    init(output: UnsafeMutableBufferPointer<UInt8>) {
        self.output = output
    }

    /// Cleans a whole path of valid UTF-8.
    ///
    /// - Returns: The number of bytes written.
    mutating func clean(_ input: UnsafeBufferPointer<UInt8>) throws(NameViolation) -> Int {
        if isAbsolute(input) { throw .absolute }
        var index = 0
        var segmentStart = 0
        while index < input.count {
            let byte = input[index]
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"):
                keep(byte)
                index += 1
            case UInt8(ascii: "."):
                dot()
                index += 1
            case UInt8(ascii: " "):
                hasPendingSpace = true
                index += 1
            case UInt8(ascii: "/"), UInt8(ascii: "\\"):
                try finishSegment(input, segmentStart..<index, isLast: false)
                index += 1
                segmentStart = index
            case 0:
                throw .null
            case 1..<0x20, 0x7F:
                throw .control(UInt32(byte))
            case 0x80...:
                index += try scalar(input, at: index)
            default:
                hasDropped = true
                index += 1
            }
        }
        try finishSegment(input, segmentStart..<input.count, isLast: true)
        guard count > 0 else { throw .nothingLeft }
        return count
    }

    private func isAbsolute(_ input: UnsafeBufferPointer<UInt8>) -> Bool {
        func isSeparator(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }
        guard let first = input.first else { return false }
        if isSeparator(first) { return true }
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first | 0x20)
        return isLetter && input.count > 2 && input[1] == UInt8(ascii: ":") && isSeparator(input[2])
    }

    private mutating func write(_ byte: UInt8) {
        output[count] = byte
        count += 1
    }

    private mutating func writePendingSpace() {
        // White space at the beginning of a segment is dropped like that at its end.
        if hasPendingSpace, count > start { write(UInt8(ascii: "_")) }
        hasPendingSpace = false
    }

    private mutating func keep(_ byte: UInt8) {
        writePendingSpace()
        write(byte)
        solidEnd = count
    }

    private mutating func dot() {
        if count == start {
            // "???.png" keeps a stem, or its extension would become its name; ".png" is a hidden file called "png".
            guard hasDropped else {
                hasPendingSpace = false
                return
            }
            hasPlaceholder = true
            keep(UInt8(ascii: "_"))
        }
        writePendingSpace()
        write(UInt8(ascii: "."))
    }

    /// Handles one scalar of two to four bytes; returns their number.
    private mutating func scalar(_ input: UnsafeBufferPointer<UInt8>, at index: Int) throws(NameViolation) -> Int {
        let lead = input[index]
        let length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
        var value = UInt32(lead) & (0x7F >> UInt32(length))
        for offset in 1..<length {
            value = value << 6 | UInt32(input[index + offset] & 0x3F)
        }
        guard let scalar = Unicode.Scalar(value) else { throw .invalidUTF8 }
        if let violation = scalar.nameViolation { throw violation }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
            for offset in 0..<length { keep(input[index + offset]) }
        default:
            if scalar.properties.isWhitespace { hasPendingSpace = true } else { hasDropped = true }
        }
        return length
    }

    private mutating func finishSegment(
        _ input: UnsafeBufferPointer<UInt8>,
        _ original: Range<Int>,
        isLast: Bool
    ) throws(NameViolation) {
        let isDots = original.count <= 2 && original.allSatisfy { input[$0] == UInt8(ascii: ".") }
        if isDots, original.count == 2 { throw .parentReference }
        count = max(start, solidEnd)
        if hasPlaceholder, count - start == 1 { count = start }
        if count == start {
            // A directory of which nothing is left is dropped; a file of which nothing is left has no name.
            if isLast, !isDots { throw .nothingLeft }
            // "a/b/" ends in an empty segment, which leaves the slash after "b".
            if isLast, count > 0 { count -= 1 }
        } else {
            if isDeviceName { prefixUnderscore() }
            if !isLast { write(UInt8(ascii: "/")) }
        }
        (start, solidEnd) = (count, count)
        (hasPendingSpace, hasDropped, hasPlaceholder) = (false, false, false)
    }

    private mutating func prefixUnderscore() {
        var index = count
        while index > start {
            output[index] = output[index - 1]
            index -= 1
        }
        output[start] = UInt8(ascii: "_")
        count += 1
    }

    /// Whether Windows takes the segment for a device: CON, PRN, AUX, NUL, COM1…9, LPT1…9, also with superscript
    /// digits and with an extension ("Naming Files, Paths, and Namespaces", Microsoft).
    private var isDeviceName: Bool {
        let stem = output[start..<count].prefix { $0 != UInt8(ascii: ".") }
        guard stem.count >= 3, stem.count <= 5 else { return false }
        // Masking bit 5 turns small letters into capitals; no other byte that can stand here becomes a letter.
        let first = stem[stem.startIndex] & 0xDF
        let second = stem[stem.startIndex + 1] & 0xDF
        let third = stem[stem.startIndex + 2] & 0xDF
        switch (first, second, third) {
        case (0x43, 0x4F, 0x4E), (0x50, 0x52, 0x4E), (0x41, 0x55, 0x58), (0x4E, 0x55, 0x4C):
            return stem.count == 3
        case (0x43, 0x4F, 0x4D), (0x4C, 0x50, 0x54):
            let rest = stem.dropFirst(3)
            if rest.count == 1, let digit = rest.first { return digit >= 0x31 && digit <= 0x39 }
            guard rest.count == 2, rest.first == 0xC2, let last = rest.last else { return false }
            return last == 0xB9 || last == 0xB2 || last == 0xB3
        default:
            return false
        }
    }
}
