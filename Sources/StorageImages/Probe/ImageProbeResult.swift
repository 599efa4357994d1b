/// The result of probing an image.
public struct ImageProbeResult: Hashable, Sendable {
    /// The size to show: display or coded, as the prober was told.
    ///
    /// Always at least 1x1.
    public var size: PixelSize
    /// The size of the stored pixel matrix.
    public var codedSize: PixelSize
    /// The format, by magic bytes.
    public var format: ImageFormat
    /// The transformation by which the stored pixels are shown upright.
    public var orientation: ImageOrientation
    /// A Boolean value that indicates whether libgd decoded the image; `false` when only its header was read.
    ///
    /// The size is then the header's claim, and whether the pixels are intact is not known. That is so for formats that
    /// libgd does not decode here, for more than ``ImageLimits/verifyMaxPixels``, for images that need more memory than
    /// all decodes together may take, and for uploads that ``ImageUploadInspector`` could not keep. Nothing verifies
    /// such an image later; to do so, probe the stored file again.
    public var isVerified: Bool
    /// A Boolean value that indicates whether the file ends before the image does.
    ///
    /// Browsers show such a JPEG or GIF in part.
    public var isTruncated: Bool

    /// Creates a result.
    ///
    /// - Parameters:
    ///   - size: The size to show.
    ///   - codedSize: The size of the stored pixel matrix.
    ///   - format: The format.
    ///   - orientation: How the pixels have to be turned. Default: not at all.
    ///   - isVerified: Whether libgd decoded the image.
    ///   - isTruncated: Whether the file ends before the image does. Default `false`.
    public init(
        size: PixelSize,
        codedSize: PixelSize,
        format: ImageFormat,
        orientation: ImageOrientation = .up,
        isVerified: Bool,
        isTruncated: Bool = false
    ) {
        self.size = size
        self.codedSize = codedSize
        self.format = format
        self.orientation = orientation
        self.isVerified = isVerified
        self.isTruncated = isTruncated
    }
}
