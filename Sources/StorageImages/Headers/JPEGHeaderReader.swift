/// Walks the segments of a JPEG up to its frame header (SOF).
///
/// Source: ITU T.81, annex B. Tolerates what libjpeg tolerates: fill bytes, garbage between segments, segment lengths
/// below 2. Segments are skipped by their length, so that a thumbnail's SOF inside EXIF is never seen.
struct JPEGHeaderReader {
    private enum Stage {
        case marker, segment, frame, exifSignature, exif
    }

    private var stage = Stage.marker
    /// The offset at which the next marker is looked for; after the marker was read, that of the segment's length.
    private var position: Int64 = 2
    private var marker: UInt8 = 0
    private var length: Int64 = 0
    private var garbage = 0
    private var sawEXIF = false
    private var exif = TIFFDirectory(base: 0)
    private var orientation = ImageOrientation.up

    private static let maxGarbage = 65_536

    mutating func run(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        while true {
            switch stage {
            case .marker:
                try findMarker(&reader, window)
            case .segment:
                let index = try reader.take(2, at: position, in: window)
                length = Int64(max(2, window.big16(index)))
                if Self.isFrame(marker) {
                    stage = .frame
                } else if marker == 0xE1, !sawEXIF, length >= 16 {
                    stage = .exifSignature
                } else {
                    skipSegment()
                }
            case .frame:
                return try readFrame(&reader, window)
            case .exifSignature:
                let index = try reader.take(6, at: position + 2, in: window)
                guard window.big32(index) == 0x4578_6966, window.big16(index + 4) == 0 else {
                    skipSegment()
                    continue
                }
                sawEXIF = true
                exif = TIFFDirectory(base: position + 8, end: position + length)
                stage = .exif
            case .exif:
                if let found = try exif.runForgiving(&reader, window) {
                    orientation = found
                }
                skipSegment()
            }
        }
    }

    /// C4 (DHT), C8 (reserved) and CC (DAC) lie among the frame markers and are none; F7 is JPEG-LS.
    static func isFrame(_ marker: UInt8) -> Bool {
        switch marker {
        case 0xC4, 0xC8, 0xCC: false
        case 0xC0...0xCF, 0xF7: true
        default: false
        }
    }

    private mutating func skipSegment() {
        position += length
        stage = .marker
    }

    private mutating func findMarker(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        while true {
            guard position <= HeaderReader.longestChain else {
                throw .fail(
                    .headerNotFound,
                    "The JPEG's frame header lies behind more than 8 MiB; save it again without embedded data."
                )
            }
            var index = try reader.peek(2, at: position, in: window)
            let start = index
            // Garbage and fill bytes are walked inside the window: each of them is no read of its own.
            while index + 1 < window.count, window[index] != 0xFF || window[index + 1] == 0xFF {
                index += 1
            }
            let skipped = index - start
            garbage += skipped
            reader.count(skipped)
            position += Int64(skipped)
            guard garbage <= Self.maxGarbage else {
                throw .fail(.malformed, "The JPEG has too many bytes that belong to no segment.")
            }
            guard index + 1 < window.count else { continue }
            let found = window[index + 1]
            position += 2
            reader.count(2)
            switch found {
            case 0x00:
                garbage += 2
            case 0x01, 0xD0...0xD8:
                break
            case 0xD9:
                throw .fail(.malformed, "The JPEG ends before its frame header.")
            case 0xDA:
                throw .fail(.malformed, "The JPEG has pixels before its frame header.")
            default:
                marker = found
                stage = .segment
                return
            }
        }
    }

    private func readFrame(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        let index = try reader.take(6, at: position + 2, in: window)
        let height = window.big16(index + 1)
        let width = window.big16(index + 3)
        guard height > 0 else {
            throw .fail(.malformed, "The JPEG's height is announced behind its pixels (DNL), which nothing decodes.")
        }
        guard width > 0 else {
            throw .fail(.malformed, "The JPEG's width is 0.")
        }
        return ImageHeader(
            format: .jpeg,
            codedSize: PixelSize(width: width, height: height),
            orientation: orientation,
            bitsPerSample: Int(window[index]),
            channels: Int(window[index + 5]),
            details: .jpeg(startOfFrame: marker),
            bytesRead: reader.bytesRead
        )
    }
}
