/// The description of an image in its first kilobytes, read without decoding a pixel.
///
/// Produced by ``ImageHeaderParser``. The numbers are the file's own claim: ``ImageGuard`` decides whether they are
/// plausible, a decoder whether they are true.
public struct ImageHeader: Hashable, Sendable {
    /// The format, by magic bytes, never by a file name.
    public let format: ImageFormat

    /// The size of the stored pixel matrix, before any turning.
    public let codedSize: PixelSize

    /// The transformation by which the pixels are shown upright; ``ImageOrientation/up`` when the file names none.
    ///
    /// From EXIF in JPEG, PNG and TIFF, from `irot` and `imir` in AVIF and HEIC. EXIF in WebP, AVIF and HEIC is
    /// ignored, as browsers ignore it.
    public let orientation: ImageOrientation

    /// The part of the coded pixels that is shown, before turning: the clean aperture of AVIF and HEIC, else the same
    /// as ``codedSize``.
    public let croppedSize: PixelSize

    /// A Boolean value that indicates whether the image has several frames: APNG, animated WebP, AVIF and HEIC
    /// sequences.
    ///
    /// The header of a GIF does not say; ``ImageScan`` counts the frames and sets this.
    public internal(set) var isAnimated: Bool

    /// The bits of one sample of one channel, `nil` when the header does not say.
    public let bitsPerSample: Int?

    /// The number of channels (components, samples) of a pixel, `nil` when the header does not say.
    public let channels: Int?

    /// The properties that only this format has, for the checks of ``ImageGuard``.
    public let details: Details

    /// The number of bytes of the file that were read to learn this; skipped bytes do not count.
    public let bytesRead: Int

    /// The size as a browser shows the image: cropped, and with the sides exchanged by a quarter turn.
    public var displaySize: PixelSize {
        orientation.swapsSides ? croppedSize.transposed : croppedSize
    }

    /// The properties that only one format has.
    public enum Details: Hashable, Sendable {
        /// JPEG: the second byte of the SOF marker (0xC0 to 0xCF, or 0xF7 for JPEG-LS).
        case jpeg(startOfFrame: UInt8)
        /// PNG: the colour type of IHDR (0, 2, 3, 4 or 6), whether it is Adam7-interlaced, and Apple's CgBI.
        case png(colorType: UInt8, isInterlaced: Bool, isCgBI: Bool)
        /// WebP: the kind of the first chunk.
        case webp(WebPKind)
        /// BMP: the size of the DIB header in bytes, the bits of a pixel, and the compression (0 is BI_RGB).
        case bmp(headerSize: Int, bitsPerPixel: Int, compression: Int)
        /// Nothing more is known.
        case none
    }

    /// The kind of a WebP file, by its first chunk.
    public enum WebPKind: String, Hashable, Sendable {
        /// `VP8 `: lossy.
        case lossy
        /// `VP8L`: lossless.
        case lossless
        /// `VP8X`: extended; the size is that of the canvas.
        case extended
    }

    /// A Boolean value that indicates whether the image is a JPEG in several passes (SOF2, SOF6, SOF10 or SOF14), which
    /// a decoder holds in memory twice.
    public var isProgressive: Bool {
        guard case .jpeg(let frame) = details else { return false }
        return frame == 0xC2 || frame == 0xC6 || frame == 0xCA || frame == 0xCE
    }

    init(
        format: ImageFormat,
        codedSize: PixelSize,
        orientation: ImageOrientation = .up,
        croppedSize: PixelSize? = nil,
        isAnimated: Bool = false,
        bitsPerSample: Int? = nil,
        channels: Int? = nil,
        details: Details = .none,
        bytesRead: Int
    ) {
        self.format = format
        self.codedSize = codedSize
        self.orientation = orientation
        self.croppedSize = croppedSize ?? codedSize
        self.isAnimated = isAnimated
        self.bitsPerSample = bitsPerSample
        self.channels = channels
        self.details = details
        self.bytesRead = bytesRead
    }
}
