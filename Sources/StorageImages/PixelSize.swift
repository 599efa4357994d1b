/// The width and height of an image in pixels.
///
/// Sizes that come out of a header are always at least 1x1. For a file that is no image there is
/// ``StorageImage/SizeState-swift.enum/notAnImage``.
public struct PixelSize: Hashable, Sendable, CustomStringConvertible {
    /// The number of pixels in a row.
    public var width: Int

    /// The number of rows.
    public var height: Int

    /// Creates a size.
    ///
    /// - Parameters:
    ///   - width: The number of pixels in a row.
    ///   - height: The number of rows.
    public init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// The number of pixels, `width * height`.
    ///
    /// A header can claim more pixels than an `Int` counts; the product then is `Int.max`, never a trap.
    public var pixelCount: Int {
        let (product, overflow) = width.multipliedReportingOverflow(by: height)
        return overflow ? Int.max : product
    }

    /// The size with width and height exchanged, as after a quarter turn.
    public var transposed: PixelSize {
        PixelSize(width: height, height: width)
    }

    /// The size as `widthxheight`, for example `1200x800`.
    public var description: String {
        "\(width)x\(height)"
    }
}
