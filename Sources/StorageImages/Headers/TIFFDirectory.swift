/// Walks the first directory (IFD0) of a TIFF, be it a file or the body of an EXIF block.
///
/// Sources: TIFF 6.0, section 2; BigTIFF as described by libtiff; EXIF 2.3, section 4.5.
struct TIFFDirectory {
    private enum Stage {
        case header, bigOffset, count, entries
    }

    private var stage = Stage.header
    private var isLittleEndian = true
    private var isBig = false
    private let base: Int64
    private let end: Int64
    private var position: Int64
    private var remaining = 0

    /// ImageWidth (256).
    private(set) var width: Int?
    /// ImageLength (257).
    private(set) var height: Int?
    /// BitsPerSample (258), if it is stored in the entry itself.
    private(set) var bitsPerSample: Int?
    /// Orientation (274).
    private(set) var orientation: ImageOrientation?
    /// SamplesPerPixel (277).
    private(set) var samplesPerPixel: Int?

    private static let maxEntries = 4096

    /// - Parameters:
    ///   - base: The offset in the file of the TIFF header, to which all its offsets are relative.
    ///   - end: Where the block ends; a file has no such bound.
    init(base: Int64, end: Int64 = HeaderReader.maxOffset) {
        self.base = base
        self.end = end
        position = base
    }

    /// Walks on; returns when the directory's end is reached.
    mutating func run(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        while true {
            switch stage {
            case .header:
                try readHeader(&reader, window)
            case .bigOffset:
                let index = try take(8, &reader, window)
                let offset = isLittleEndian ? window.little64(index) : window.big64(index)
                try seek(to: offset)
            case .count:
                let index = try take(isBig ? 8 : 2, &reader, window)
                try startEntries(count: isBig ? u64(window, index) : UInt64(u16(window, index)))
            case .entries:
                while remaining > 0 {
                    let size = isBig ? 20 : 12
                    let index = try take(size, &reader, window)
                    note(window, index)
                    position += Int64(size)
                    remaining -= 1
                }
                return
            }
        }
    }

    /// Walks on as ``run(_:_:)`` does, but takes a broken directory for one without an orientation.
    ///
    /// A camera's faulty EXIF must not make its picture unacceptable.
    mutating func runForgiving(
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> ImageOrientation? {
        do {
            try run(&reader, window)
        } catch .fail(let code, _) where code == .malformed {
            return orientation
        }
        return orientation
    }

    private mutating func readHeader(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) {
        let index = try take(8, &reader, window)
        switch (window[index], window[index + 1]) {
        case (0x49, 0x49): isLittleEndian = true
        case (0x4D, 0x4D): isLittleEndian = false
        default: throw .fail(.malformed, "The TIFF header has no byte order.")
        }
        switch u16(window, index + 2) {
        case 42:
            try seek(to: UInt64(u32(window, index + 4)))
        case 43:
            guard u16(window, index + 4) == 8 else {
                throw .fail(.malformed, "The BigTIFF header has offsets of an unknown size.")
            }
            isBig = true
            position = base + 8
            stage = .bigOffset
        default:
            throw .fail(.malformed, "The TIFF header has no version number.")
        }
    }

    private mutating func seek(to offset: UInt64) throws(HeaderStop) {
        // 8 is the header's own size (16 for BigTIFF): a directory cannot lie inside it.
        guard offset >= (isBig ? 16 : 8), offset < UInt64(HeaderReader.maxOffset) else {
            throw .fail(.malformed, "The TIFF directory lies outside the file.")
        }
        position = base + Int64(offset)
        stage = .count
    }

    private mutating func startEntries(count: UInt64) throws(HeaderStop) {
        guard count >= 1, count <= UInt64(Self.maxEntries) else {
            throw .fail(.malformed, "The TIFF directory has an impossible number of entries.")
        }
        remaining = Int(count)
        position += isBig ? 8 : 2
        stage = .entries
    }

    private mutating func note(_ window: Span<UInt8>, _ index: Int) {
        let tag = u16(window, index)
        guard tag >= 256, tag <= 277, let value = value(window, index) else { return }
        switch tag {
        case 256: width = width ?? value
        case 257: height = height ?? value
        case 258: bitsPerSample = bitsPerSample ?? value
        case 274: orientation = orientation ?? UInt8(exactly: value).flatMap(ImageOrientation.init(rawValue:))
        case 277: samplesPerPixel = samplesPerPixel ?? value
        default: break
        }
    }

    /// The first value of an entry if it is an integer that is stored in the entry itself.
    private func value(_ window: Span<UInt8>, _ index: Int) -> Int? {
        let type = u16(window, index + 2)
        let count = isBig ? u64(window, index + 4) : UInt64(u32(window, index + 4))
        let field = index + (isBig ? 12 : 8)
        let room: UInt64 = isBig ? 8 : 4
        switch type {
        case 1 where count >= 1 && count <= room: return Int(window[field])
        case 3 where count >= 1 && count <= room / 2: return u16(window, field)
        case 4 where count >= 1 && count <= room / 4: return u32(window, field)
        case 8 where count >= 1 && count <= room / 2: return Int(Int16(truncatingIfNeeded: u16(window, field)))
        case 9 where count >= 1 && count <= room / 4: return Int(Int32(truncatingIfNeeded: u32(window, field)))
        case 16 where count == 1 && isBig: return Int(exactly: u64(window, field))
        default: return nil
        }
    }

    private func take(_ count: Int, _ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> Int {
        guard position + Int64(count) <= end else {
            throw .fail(.malformed, "The EXIF block ends inside its directory.")
        }
        return try reader.take(count, at: position, in: window)
    }

    private func u16(_ window: Span<UInt8>, _ index: Int) -> Int {
        isLittleEndian ? window.little16(index) : window.big16(index)
    }

    private func u32(_ window: Span<UInt8>, _ index: Int) -> Int {
        isLittleEndian ? window.little32(index) : window.big32(index)
    }

    private func u64(_ window: Span<UInt8>, _ index: Int) -> UInt64 {
        isLittleEndian ? window.little64(index) : window.big64(index)
    }
}

extension TIFFDirectory {
    /// Reads a whole TIFF file's header.
    mutating func header(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        try run(&reader, window)
        guard let width, let height, width > 0, height > 0 else {
            throw .fail(.malformed, "The TIFF directory has no width and height.")
        }
        return ImageHeader(
            format: .tiff,
            codedSize: PixelSize(width: width, height: height),
            orientation: orientation ?? .up,
            bitsPerSample: bitsPerSample,
            channels: samplesPerPixel,
            bytesRead: reader.bytesRead
        )
    }
}
