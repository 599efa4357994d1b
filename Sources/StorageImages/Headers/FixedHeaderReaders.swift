/// Readers of the formats whose header stands at fixed places in the first bytes.
enum FixedHeaderReaders {
    /// The logical screen of a GIF (GIF 89a, section 18).
    ///
    /// Its size, not that of the first frame, is what browsers show.
    static func gif(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        let index = try reader.take(13, at: 0, in: window)
        let size = PixelSize(width: window.little16(index + 6), height: window.little16(index + 8))
        guard size.width > 0, size.height > 0 else {
            throw .fail(.malformed, "The GIF's screen has no width or no height.")
        }
        return ImageHeader(
            format: .gif,
            codedSize: size,
            bitsPerSample: Int(window[index + 10] & 7) + 1,
            channels: 1,
            bytesRead: reader.bytesRead
        )
    }

    /// The first chunk of a WebP (WebP container specification; RFC 6386, section 9.1).
    ///
    /// EXIF is not read: browsers ignore its orientation.
    static func webp(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        let first = try reader.peek(20, at: 0, in: window)
        switch window.big32(first + 12) {
        case 0x5650_3820:
            return try webpLossy(&reader, window)
        case 0x5650_384C:
            return try webpLossless(&reader, window)
        case 0x5650_3858:
            guard window.little32(first + 16) >= 10 else {
                throw .fail(.malformed, "The WebP's VP8X chunk is too short.")
            }
            let index = try reader.take(30, at: 0, in: window)
            let size = PixelSize(
                width: window.little24(index + 24) + 1,
                height: window.little24(index + 27) + 1
            )
            guard size.pixelCount <= Int(UInt32.max) else {
                throw .fail(.malformed, "The WebP's canvas has more pixels than the format allows.")
            }
            let flags = window[index + 20]
            return ImageHeader(
                format: .webp,
                codedSize: size,
                isAnimated: flags & 0x02 != 0,
                bitsPerSample: 8,
                channels: flags & 0x10 != 0 ? 4 : 3,
                details: .webp(.extended),
                bytesRead: reader.bytesRead
            )
        default:
            throw .fail(.malformed, "The WebP does not begin with a VP8, VP8L or VP8X chunk.")
        }
    }

    private static func webpLossy(
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> ImageHeader {
        let index = try reader.take(30, at: 0, in: window)
        guard window[index + 20] & 1 == 0, window.little24(index + 23) == 0x2A019D else {
            throw .fail(.malformed, "The WebP's VP8 chunk does not begin with a key frame.")
        }
        // The two high bits are a scaling hint for players, not part of the size.
        let size = PixelSize(
            width: window.little16(index + 26) & 0x3FFF,
            height: window.little16(index + 28) & 0x3FFF
        )
        guard size.width > 0, size.height > 0 else {
            throw .fail(.malformed, "The WebP has no width or no height.")
        }
        return ImageHeader(
            format: .webp,
            codedSize: size,
            bitsPerSample: 8,
            channels: 3,
            details: .webp(.lossy),
            bytesRead: reader.bytesRead
        )
    }

    private static func webpLossless(
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> ImageHeader {
        let index = try reader.take(25, at: 0, in: window)
        let bits = window.little32(index + 21)
        guard window[index + 20] == 0x2F, bits >> 29 == 0 else {
            throw .fail(.malformed, "The WebP's VP8L chunk has the wrong signature or version.")
        }
        return ImageHeader(
            format: .webp,
            codedSize: PixelSize(width: (bits & 0x3FFF) + 1, height: (bits >> 14 & 0x3FFF) + 1),
            bitsPerSample: 8,
            channels: bits >> 28 & 1 == 1 ? 4 : 3,
            details: .webp(.lossless),
            bytesRead: reader.bytesRead
        )
    }

    /// The second header of a BMP: OS/2 headers of 12 bytes with 16-bit sizes, all others with 32-bit sizes, negative
    /// height for top-down.
    static func bmp(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        let start = try reader.peek(18, at: 0, in: window)
        let dib = window.little32(start + 14)
        let length = dib == 12 ? 26 : dib >= 40 ? 34 : 30
        let index = try reader.take(length, at: 0, in: window)
        let size: PixelSize
        if dib == 12 {
            size = PixelSize(width: window.little16(index + 18), height: window.little16(index + 20))
        } else {
            let height = Int(Int32(truncatingIfNeeded: window.little32(index + 22)))
            size = PixelSize(
                width: Int(Int32(truncatingIfNeeded: window.little32(index + 18))),
                height: abs(height)
            )
        }
        guard size.width > 0, size.height > 0, size.height <= Int(Int32.max) else {
            throw .fail(.malformed, "The BMP's width or height is impossible.")
        }
        let depth = window.little16(index + (dib == 12 ? 24 : 28))
        return ImageHeader(
            format: .bmp,
            codedSize: size,
            bitsPerSample: min(depth, 8),
            channels: depth == 32 ? 4 : depth >= 16 ? 3 : 1,
            details: .bmp(
                headerSize: dib,
                bitsPerPixel: depth,
                compression: dib >= 40 ? window.little32(index + 30) : 0
            ),
            bytesRead: reader.bytesRead
        )
    }

    /// The header of a Photoshop document (Adobe, "File header section"; version 2 is PSB).
    static func psd(_ reader: inout HeaderReader, _ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        let index = try reader.take(26, at: 0, in: window)
        let size = PixelSize(width: window.big32(index + 18), height: window.big32(index + 14))
        guard size.width > 0, size.height > 0 else {
            throw .fail(.malformed, "The Photoshop document has no width or no height.")
        }
        return ImageHeader(
            format: .psd,
            codedSize: size,
            bitsPerSample: window.big16(index + 22),
            channels: window.big16(index + 12),
            bytesRead: reader.bytesRead
        )
    }
}
