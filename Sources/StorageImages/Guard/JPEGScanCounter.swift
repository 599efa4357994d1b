/// Counts the scans of a JPEG while its bytes stream by.
///
/// Sees every SOS marker that libjpeg would see: segments are skipped by their length, entropy-coded data is searched,
/// reserved markers (02 to BF) have no length, as when libjpeg resynchronises after a lost restart marker.
struct JPEGScanCounter {
    private enum State {
        case hunting, marker, lengthHigh, lengthLow, skipping, done
    }

    private var state = State.hunting
    private var length = 0
    private var remaining = 0

    /// The SOS markers seen.
    private(set) var scans = 0

    /// The number of components of the first scan, `nil` before it comes.
    ///
    /// When it has fewer than the frame, libjpeg keeps the coefficients of the whole image, in a baseline JPEG, too.
    private(set) var firstScanComponents: Int?

    /// A Boolean value that indicates whether the end mark (EOI) was seen; what follows it belongs to no decoder.
    var isComplete: Bool { state == .done }

    /// Looks at the next bytes; stops early when there are more scans than `limit`.
    mutating func consume(_ bytes: Span<UInt8>, limit: Int) throws(ImageError) {
        var index = 0
        let count = bytes.count
        while index < count {
            switch state {
            case .hunting:
                while index < count, bytes[index] != 0xFF { index += 1 }
                if index < count { state = .marker }
                index += 1
            case .marker:
                try note(bytes[index], limit: limit)
                index += 1
            case .lengthHigh:
                length = Int(bytes[index]) << 8
                index += 1
                state = .lengthLow
            case .lengthLow:
                remaining = max(0, (length | Int(bytes[index])) - 2)
                index += 1
                state = remaining > 0 ? .skipping : .hunting
            case .skipping:
                if scans == 1, firstScanComponents == nil { firstScanComponents = Int(bytes[index]) }
                let step = min(remaining, count - index)
                index += step
                remaining -= step
                if remaining == 0 { state = .hunting }
            case .done:
                return
            }
        }
    }

    private mutating func note(_ marker: UInt8, limit: Int) throws(ImageError) {
        switch marker {
        case 0xFF:
            break
        case 0x00...0xBF, 0xD0...0xD8:
            state = .hunting
        case 0xD9:
            state = .done
        default:
            if marker == 0xDA { scans += 1 }
            guard scans <= limit else {
                throw ImageError(
                    .tooManyScans,
                    "The JPEG has more than \(limit) scans, which no camera or program makes; save it again."
                )
            }
            state = .lengthHigh
        }
    }
}
