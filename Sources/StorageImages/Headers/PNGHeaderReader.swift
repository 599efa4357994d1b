/// Reads IHDR, and the chunks up to the first IDAT for orientation (eXIf) and animation (acTL).
///
/// Sources: PNG (third edition), sections 5, 11.2.1, 11.3.4.5 and 11.3.6; Apple's CgBI variant is undocumented: one
/// more chunk stands before IHDR.
struct PNGHeaderReader {
    private enum Stage {
        case first, header, chunks, exif
    }

    private var stage = Stage.first
    private var position: Int64 = 8
    private var isCgBI = false
    private var isAnimated = false
    private var size = PixelSize(width: 0, height: 0)
    private var depth = 0
    private var colorType: UInt8 = 0
    private var isInterlaced = false
    private var chunkEnd: Int64 = 0
    private var orientation: ImageOrientation?
    private var exif = TIFFDirectory(base: 0)

    private static let cgBI = 0x4367_4249
    private static let ihdr = 0x4948_4452
    private static let idat = 0x4944_4154
    private static let iend = 0x4945_4E44
    private static let actl = 0x6163_544C
    private static let exifType = 0x6558_4966

    mutating func run(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        while true {
            switch stage {
            case .first:
                let index = try reader.take(8, at: position, in: window)
                if window.big32(index + 4) == Self.cgBI {
                    isCgBI = true
                    position += 12 + Int64(window.big32(index))
                } else {
                    guard window.big32(index + 4) == Self.ihdr, window.big32(index) == 13 else { throw Self.noIHDR }
                }
                stage = .header
            case .header:
                try readHeader(&reader, window)
            case .chunks:
                let index = try reader.take(8, at: position, in: window)
                // The size is known; what stands this far behind is not looked for.
                guard position <= HeaderReader.longestChain else { return header(reader) }
                let type = window.big32(index + 4)
                if type == Self.idat || type == Self.iend { return header(reader) }
                try startChunk(type, length: Int64(window.big32(index)), reader)
            case .exif:
                orientation = try exif.runForgiving(&reader, window)
                position = chunkEnd
                stage = .chunks
            }
        }
    }

    private static let noIHDR = HeaderStop.fail(.malformed, "The PNG does not begin with an IHDR chunk.")

    private mutating func readHeader(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        let index = try reader.take(21, at: position, in: window)
        guard window.big32(index) == 13, window.big32(index + 4) == Self.ihdr else { throw Self.noIHDR }
        size = PixelSize(width: window.big32(index + 8), height: window.big32(index + 12))
        guard size.width > 0, size.height > 0, size.width <= Int(Int32.max), size.height <= Int(Int32.max) else {
            throw .fail(.malformed, "The PNG's width or height is 0 or above 2147483647.")
        }
        depth = Int(window[index + 16])
        colorType = window[index + 17]
        guard Self.isAllowed(depth: depth, colorType: colorType) else {
            throw .fail(.malformed, "The PNG's bit depth and colour type do not exist together.")
        }
        isInterlaced = window[index + 20] == 1
        position += 12 + 13
        stage = .chunks
    }

    private mutating func startChunk(
        _ type: Int,
        length: Int64,
        _ reader: HeaderReader
    ) throws(HeaderStop) {
        let end = position + 12 + length
        // libpng allocates and clears what a chunk claims, so a claim beyond the file's end is refused here already.
        guard length <= Int64(Int32.max), end <= reader.total ?? .max else {
            throw .fail(.corrupt, "A chunk of the PNG claims more bytes than the file has.")
        }
        if type == Self.actl { isAnimated = true }
        if type == Self.exifType, length >= 8, orientation == nil {
            exif = TIFFDirectory(base: position + 8, end: position + 8 + length)
            chunkEnd = end
            stage = .exif
        } else {
            position = end
        }
    }

    private func header(_ reader: HeaderReader) -> ImageHeader {
        ImageHeader(
            format: .png,
            codedSize: size,
            orientation: orientation ?? .up,
            isAnimated: isAnimated,
            bitsPerSample: depth,
            channels: Self.channels(of: colorType),
            details: .png(colorType: colorType, isInterlaced: isInterlaced, isCgBI: isCgBI),
            bytesRead: reader.bytesRead
        )
    }

    private static func channels(of colorType: UInt8) -> Int {
        switch colorType {
        case 2: 3
        case 4: 2
        case 6: 4
        default: 1
        }
    }

    /// PNG (third edition), table 12.
    private static func isAllowed(depth: Int, colorType: UInt8) -> Bool {
        switch colorType {
        case 0: depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16
        case 3: depth == 1 || depth == 2 || depth == 4 || depth == 8
        case 2, 4, 6: depth == 8 || depth == 16
        default: false
        }
    }
}
