/// Cleans the segments of a path for ``StorageNamePolicy/unicode``, from UTF-8 bytes to UTF-8 bytes.
struct SegmentCleaner {
    private let output: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    /// The index in the output at which the current segment begins.
    private var start = 0
    /// The index at which the current segment ends without the dots and spaces at its end.
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
    /// - Parameter needsPlain: Whether to stop at the first scalar that may need normalising.
    /// - Returns: The number of bytes written; `nil` when it has stopped.
    mutating func clean(
        _ input: UnsafeBufferPointer<UInt8>,
        needsPlain: Bool
    ) throws(NameViolation) -> Int? {
        if isAbsolute(input) { throw .absolute }
        let kinds = NameBytes.kinds
        var index = 0
        var segmentStart = 0
        while index < input.count {
            let byte = input[index]
            switch kinds[Int(byte)] {
            case .keep:
                if hasPendingSpace { writePendingSpace() }
                // A run of such bytes is most of a name.
                repeat {
                    output[count] = input[index]
                    count += 1
                    index += 1
                } while index < input.count && kinds[Int(input[index])] == .keep
                solidEnd = count
            case .dot:
                dot()
                index += 1
            case .space:
                hasPendingSpace = true
                index += 1
            case .separator:
                try finishSegment(input, segmentStart..<index, isLast: false)
                index += 1
                segmentStart = index
            case .null:
                throw .null
            case .control, .textDirection:
                throw .control(UInt32(byte))
            case .multibyte:
                let length = try scalar(input, at: index, needsPlain: needsPlain)
                guard length > 0 else { return nil }
                index += length
            case .drop:
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

    /// Handles one scalar of two to four bytes; returns their number, 0 when it is not plain and must be.
    private mutating func scalar(
        _ input: UnsafeBufferPointer<UInt8>,
        at index: Int,
        needsPlain: Bool
    ) throws(NameViolation) -> Int {
        let (value, length) = NameBytes.scalar(in: input, at: index)
        let kind: NameBytes.Kind
        if let plain = NameBytes.plainKind(of: value) {
            kind = plain
        } else if needsPlain {
            return 0
        } else {
            guard let scalar = Unicode.Scalar(value) else { throw .invalidUTF8 }
            kind = SegmentCleaner.kind(of: scalar)
        }
        switch kind {
        case .keep:
            if hasPendingSpace { writePendingSpace() }
            for offset in 0..<length { output[count + offset] = input[index + offset] }
            count += length
            solidEnd = count
        case .space: hasPendingSpace = true
        case .control: throw .control(value)
        case .textDirection: throw .textDirection(value)
        case .drop, .dot, .separator, .null, .multibyte: hasDropped = true
        }
        return length
    }

    /// Returns the kind of a scalar above ASCII, as the Unicode tables give it.
    static func kind(of scalar: Unicode.Scalar) -> NameBytes.Kind {
        switch scalar.nameViolation {
        case .control: return .control
        case .textDirection: return .textDirection
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
            .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .letterNumber, .otherNumber:
            return .keep
        default:
            return scalar.properties.isWhitespace ? .space : .drop
        }
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

    /// A Boolean value that indicates whether Windows takes the segment for a device: CON, PRN, AUX, NUL, COM1…9,
    /// LPT1…9, also with superscript digits and with an extension ("Naming Files, Paths, and Namespaces", Microsoft).
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
