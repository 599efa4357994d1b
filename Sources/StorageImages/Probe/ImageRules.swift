/// The requirements of a field for an image, besides being one.
///
/// All sizes are those that the prober reports, by default as browsers show the image.
public struct ImageRules: Hashable, Sendable {
    /// The formats that are accepted; `nil` accepts all that the prober accepts.
    public var formats: Set<ImageFormat>?
    /// The smallest width and height; `nil` sets no bound.
    public var minSize: PixelSize?
    /// The largest width and height; `nil` sets no bound.
    public var maxSize: PixelSize?
    /// The most pixels, `width * height`; `nil` sets no bound besides the prober's.
    public var maxPixels: Int?
    /// The accepted ratios of width to height, such as `1...2`; `nil` accepts all.
    public var aspectRatio: ClosedRange<Double>?

    /// Creates rules; without arguments they accept every image.
    ///
    /// - Parameters:
    ///   - formats: The formats that are accepted. Default: all that the prober accepts.
    ///   - minSize: The smallest width and height. Default: no bound.
    ///   - maxSize: The largest width and height. Default: no bound.
    ///   - maxPixels: The most pixels. Default: no bound besides the prober's.
    ///   - aspectRatio: The accepted ratios of width to height. Default: all.
    public init(
        formats: Set<ImageFormat>? = nil,
        minSize: PixelSize? = nil,
        maxSize: PixelSize? = nil,
        maxPixels: Int? = nil,
        aspectRatio: ClosedRange<Double>? = nil
    ) {
        self.formats = formats
        self.minSize = minSize
        self.maxSize = maxSize
        self.maxPixels = maxPixels
        self.aspectRatio = aspectRatio
    }

    /// Checks a probed image.
    ///
    /// - Parameter image: What a probe found out.
    /// - Throws: ``ImageError`` with code `.wrongType`, `.tooManyPixels` or `.invalidSize`.
    public func check(_ image: ImageProbeResult) throws(ImageError) {
        if let formats, !formats.contains(image.format) {
            let accepted = formats.map(\.displayName).sorted().joined(separator: ", ")
            throw ImageError(
                .wrongType,
                "The image is \(image.format.displayName); accepted are \(accepted). Save it in one of these formats."
            )
        }
        let size = image.size
        if let maxPixels, size.pixelCount > maxPixels {
            throw ImageError(
                .tooManyPixels,
                "The image has \(size) pixels, more than \(maxPixels) in all. Make it smaller."
            )
        }
        if let minSize, size.width < minSize.width || size.height < minSize.height {
            throw ImageError(.invalidSize, "The image has \(size) pixels; at least \(minSize) are needed.")
        }
        if let maxSize, size.width > maxSize.width || size.height > maxSize.height {
            throw ImageError(
                .invalidSize,
                "The image has \(size) pixels; at most \(maxSize) are accepted. Make it smaller."
            )
        }
        if let aspectRatio, size.height > 0 {
            let ratio = Double(size.width) / Double(size.height)
            guard aspectRatio.contains(ratio) else {
                throw ImageError(
                    .invalidSize,
                    "The image is \(size), a ratio of \(ratio); ratios from \(aspectRatio.lowerBound) to "
                        + "\(aspectRatio.upperBound) are accepted. Crop it."
                )
            }
        }
    }
}
