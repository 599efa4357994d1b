public import NIOCore

/// Decides by header, size and structure which images a decoder may see, before it sees a byte.
///
/// Decoders believe what a header claims: 335 bytes of JPEG make libgd take 8.5 GB, 34 bytes of WebP 2.1 GB, a PNG of
/// 45 bytes and small dimensions another 2.1 GB. The guard refuses these in microseconds. It does not prove that the
/// pixels are intact; that only a decoder does.
///
/// ``check(_:)-(ByteBuffer)`` looks at a file in memory, ``ImageScan`` at bytes that stream by.
public struct ImageGuard: Hashable, Sendable {
    /// The permitted use of an accepted image.
    public enum Verdict: Hashable, Sendable {
        /// libgd may decode it in this process.
        case decode
        /// Its header is believed; it must not be given to a decoder in this process.
        ///
        /// Because libgd cannot decode this flavour (animated WebP, BMP with bit fields, icons, Photoshop), must not
        /// (AVIF, HEIC, HEIF, TIFF: leaks, aborts and bombs that no check finds), or should not here (more pixels than
        /// ``ImageLimits/verifyMaxPixels``).
        case headerOnly
    }

    /// The limits that images must meet.
    public let limits: ImageLimits

    /// Creates a guard.
    ///
    /// - Parameter limits: What is allowed. Default
    ///   ``ImageLimits/init(maxPixels:verifyMaxPixels:maxFileBytes:formats:maxJPEGScans:)``.
    public init(limits: ImageLimits = ImageLimits()) {
        self.limits = limits
    }

    /// Checks what the header alone tells: format, flavour, number of pixels.
    ///
    /// - Parameter header: The header.
    /// - Returns: What may be done with the image, provided that the checks of its whole file pass, too.
    /// - Throws: `.unsupportedFormat` for a format that is not allowed or a flavour that neither libgd nor browsers
    ///   show (JPEG that is lossless, hierarchical or not 8-bit, PNG of kind CgBI); `.tooManyPixels`.
    /// - Complexity: O(1).
    public func check(_ header: ImageHeader) throws(ImageError) -> Verdict {
        guard limits.formats.contains(header.format) else {
            let allowed = limits.formats.map(\.displayName).sorted().joined(separator: ", ")
            throw ImageError(
                .unsupportedFormat,
                "\(header.format.displayName) images are not accepted here; accepted are \(allowed)."
            )
        }
        guard header.codedSize.pixelCount <= limits.maxPixels else {
            throw ImageError(
                .tooManyPixels,
                "The image of \(header.codedSize) pixels exceeds the limit of \(limits.maxPixels) pixels; "
                    + "make it smaller or raise ImageLimits.maxPixels."
            )
        }
        guard try canDecode(header) else { return .headerOnly }
        return header.codedSize.pixelCount <= limits.verifyMaxPixels ? .decode : .headerOnly
    }

    /// Checks what the header and the size of the file tell together.
    ///
    /// - Parameters:
    ///   - header: The header.
    ///   - byteCount: The size of the file in bytes.
    /// - Returns: What may be done with the image, provided that its structure is sound.
    /// - Throws: As `check(_:)` over the header; `.tooManyBytes`; `.corrupt` when so few bytes cannot hold so many
    ///   pixels; `.truncated` when an uncompressed BMP lacks rows.
    /// - Complexity: O(1).
    public func check(_ header: ImageHeader, byteCount: Int64) throws(ImageError) -> Verdict {
        let verdict = try check(header)
        guard byteCount <= limits.maxFileBytes else { throw tooManyBytes }
        let bytes = Int(byteCount)
        let pixels = header.codedSize.pixelCount
        switch header.details {
        case .jpeg(let frame):
            // Huffman coding needs a bit for every block of 8x8 pixels. Arithmetic coding (SOF9, SOF10) does not.
            if frame != 0xC9, frame != 0xCA, pixels > Self.scaled(bytes, by: 512, plus: 65_536) {
                throw Self.tooFewBytes(header)
            }
        case .png:
            // Deflate cannot expand more than 1032 times.
            if Self.rowBytes(header) > Self.scaled(bytes, by: 1032, plus: 1024) { throw Self.tooFewBytes(header) }
        case .bmp(_, let bitsPerPixel, 0):
            let size = header.codedSize
            // Without the padding to four bytes, which some writers leave out of the last row.
            let row = Self.product(size.width, by: bitsPerPixel) / 8
            if Self.product(row, by: size.height) > bytes {
                throw ImageError(.truncated, "The BMP ends before its \(size.height) rows do; upload it again.")
            }
        default:
            // A code of GIF's LZW stands for at most 4096 pixels and takes at least 12 bits once it can.
            if header.format == .gif, pixels > Self.scaled(bytes, by: 2600, plus: 65_536) {
                throw Self.tooFewBytes(header)
            }
        }
        return verdict
    }

    /// Checks a whole file: header, limits and structure.
    ///
    /// - Parameter bytes: The file; its readable bytes are not copied.
    /// - Returns: Header and verdict.
    /// - Throws: As ``ImageScan``.
    /// - Complexity: O(size) for JPEG (some milliseconds for 10 MB), O(blocks) for the others.
    public func check(_ bytes: ByteBuffer) throws(ImageError) -> ImageScan.Result {
        var scan = ImageScan(limits: limits, totalSize: Int64(bytes.readableBytes))
        try scan.consume(bytes)
        return try scan.finish()
    }

    /// The memory that libgd takes at its peak to decode an image, in bytes, the file itself included.
    ///
    /// An upper bound, measured with libgd 2.3.3 and libjpeg-turbo 2.1.5; the basis of a budget over all decodes of a
    /// process.
    ///
    /// - Parameters:
    ///   - header: The header.
    ///   - byteCount: The size of the file in bytes.
    ///   - hasSeveralScans: Whether a JPEG keeps its components in scans of their own, which its header does not say
    ///     and ``ImageScan/hasSeveralScans`` does; a progressive one always has several. Default `true`, which is the
    ///     most.
    /// - Returns: The bytes, `Int64.max` when no number is large enough.
    package static func decodeMemory(
        for header: ImageHeader,
        byteCount: Int64,
        hasSeveralScans: Bool = true
    ) -> Int64 {
        // Tenths of a byte per pixel, so that the product stays exact.
        let tenths: Int
        var coefficients = 0
        switch header.details {
        case .jpeg:
            tenths = 41
            if hasSeveralScans || header.isProgressive { coefficients = coefficientBytes(header) }
        case .png(let colorType, _, _): tenths = colorType == 0 || colorType == 3 ? 20 : 80
        case .webp: tenths = 127
        case .bmp: tenths = 40
        case .none:
            switch header.format {
            case .gif: tenths = 10
            case .avif: tenths = 103
            case .heic, .heif: tenths = 92
            default: tenths = 81
            }
        }
        let pixels = product(header.codedSize.pixelCount, by: tenths) / 10
        let (decoded, overflow) = pixels.addingReportingOverflow(coefficients)
        let (sum, sumOverflow) = Int64(decoded).addingReportingOverflow(max(0, byteCount))
        return overflow || sumOverflow ? .max : sum
    }

    /// Returns the bytes that libjpeg keeps of a JPEG in several scans until the last of them: two for every
    /// coefficient.
    ///
    /// Every component counts in full, as the header does not say how it is sampled, and each side is rounded up to the
    /// largest unit that there is, four blocks of eight pixels (ITU T.81, A.1.1 and A.2.4).
    private static func coefficientBytes(_ header: ImageHeader) -> Int {
        let size = header.codedSize
        let samples = product((size.width + 31) / 32 * 32, by: (size.height + 31) / 32 * 32)
        return product(samples, by: 2 * (header.channels ?? 4))
    }

    var tooManyBytes: ImageError {
        ImageError(
            .tooManyBytes,
            "The file has more than the \(limits.maxFileBytes) bytes that an image may have."
        )
    }

    /// Returns whether libgd decodes this flavour in this process; throws for flavours that no viewer can show.
    private func canDecode(_ header: ImageHeader) throws(ImageError) -> Bool {
        switch header.details {
        case .jpeg(let frame):
            switch frame {
            case 0xC0, 0xC1, 0xC2, 0xC9, 0xCA: break
            default:
                throw ImageError(
                    .unsupportedFormat,
                    "The JPEG is of a lossless or hierarchical kind that browsers cannot show; save it as usual JPEG."
                )
            }
            guard header.bitsPerSample == 8, header.channels == 1 || header.channels == 3 || header.channels == 4 else {
                throw ImageError(
                    .unsupportedFormat,
                    "The JPEG does not have 8 bits and 1, 3 or 4 components; save it as usual JPEG."
                )
            }
            return true
        case .png(_, _, let isCgBI):
            guard !isCgBI else {
                throw ImageError(
                    .unsupportedFormat,
                    "The PNG is of Apple's kind CgBI, which browsers cannot show; take the file before Xcode changed "
                        + "it."
                )
            }
            return true
        case .webp:
            return !header.isAnimated
        case .bmp(let headerSize, _, let compression):
            switch headerSize {
            case 12, 40, 64, 108, 124: return (0...2).contains(compression)
            default: return false
            }
        case .none:
            return header.format == .gif
        }
    }

    /// Returns whether the file is long enough for its headers and, in an uncompressed BMP, all rows.
    ///
    /// Rows are padded to four bytes, but some writers leave that out of the last one.
    static func hasAllRows(_ header: ImageHeader, byteCount: Int64) -> Bool {
        guard case .bmp(let headerSize, let bitsPerPixel, 0) = header.details else { return true }
        let size = header.codedSize
        let bits = product(size.width, by: bitsPerPixel)
        let rows = product((bits / 32) * 4 + (bits % 32 == 0 ? 0 : 4), by: size.height - 1)
        return scaled(rows, by: 1, plus: 14 + headerSize + bits / 8) <= byteCount
    }

    /// The bytes that the rows of a PNG have before compression, each with its filter byte.
    private static func rowBytes(_ header: ImageHeader) -> Int {
        let bits = product(header.codedSize.width, by: (header.channels ?? 1) * (header.bitsPerSample ?? 8))
        return product(bits / 8 + 1, by: header.codedSize.height)
    }

    private static func tooFewBytes(_ header: ImageHeader) -> ImageError {
        ImageError(
            .corrupt,
            "The file is too small to hold the \(header.codedSize) pixels that its \(header.format.displayName) "
                + "header claims."
        )
    }

    private static func product(_ left: Int, by right: Int) -> Int {
        let (product, overflow) = left.multipliedReportingOverflow(by: right)
        return overflow ? .max : product
    }

    private static func scaled(_ bytes: Int, by factor: Int, plus: Int) -> Int {
        let (sum, overflow) = product(bytes, by: factor).addingReportingOverflow(plus)
        return overflow ? .max : sum
    }
}
