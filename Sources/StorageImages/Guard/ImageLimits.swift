/// The limits that ``ImageGuard`` enforces.
///
/// The defaults accept the photos of phones up to 48 megapixels and every format whose header can be read.
public struct ImageLimits: Hashable, Sendable {
    /// The most pixels a header may claim.
    ///
    /// Default 50,000,000; must be at least 1.
    public var maxPixels: Int

    /// The most pixels that are decoded to verify an image.
    ///
    /// Default 25,000,000. A larger image (up to ``maxPixels``) is accepted by its header only.
    public var verifyMaxPixels: Int

    /// The largest file in bytes.
    ///
    /// Default and upper bound 2,147,483,647, as libgd counts in 32-bit integers.
    public var maxFileBytes: Int64 {
        didSet { maxFileBytes = min(maxFileBytes, Self.largestFile) }
    }

    /// The formats that are accepted.
    ///
    /// Default: all of ``ImageFormat``.
    public var formats: Set<ImageFormat>

    /// The most scans (SOS markers) of a JPEG.
    ///
    /// Default 100; real files have up to 14. Every scan makes a decoder walk over the whole image, so that 220 KB with
    /// 20,000 scans cost it 24 seconds.
    public var maxJPEGScans: Int

    /// The largest file in bytes, one less than 2 GiB.
    static let largestFile = Int64(Int32.max)

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - maxPixels: The most pixels a header may claim.
    ///   - verifyMaxPixels: The most pixels that are decoded to verify an image.
    ///   - maxFileBytes: The largest file in bytes; values from 2 GiB on are taken as 2 GiB - 1.
    ///   - formats: The formats that are accepted.
    ///   - maxJPEGScans: The most scans of a JPEG.
    public init(
        maxPixels: Int = 50_000_000,
        verifyMaxPixels: Int = 25_000_000,
        maxFileBytes: Int64 = 2_147_483_647,
        formats: Set<ImageFormat> = Set(ImageFormat.allCases),
        maxJPEGScans: Int = 100
    ) {
        self.maxPixels = maxPixels
        self.verifyMaxPixels = verifyMaxPixels
        self.maxFileBytes = min(maxFileBytes, Self.largestFile)
        self.formats = formats
        self.maxJPEGScans = maxJPEGScans
    }
}
