/// The transformation by which the stored pixels are shown upright: the values of the EXIF tag 0x0112.
///
/// Source: EXIF 2.3, section 4.6.4 A, "Orientation". The `irot` and `imir` properties of AVIF and HEIC are expressed
/// with the same eight values.
public enum ImageOrientation: UInt8, Hashable, Sendable, CaseIterable {
    /// 1: shown as stored.
    case up = 1
    /// 2: mirrored left to right.
    case upMirrored = 2
    /// 3: turned by 180 degrees.
    case down = 3
    /// 4: mirrored top to bottom.
    case downMirrored = 4
    /// 5: mirrored along the main diagonal (transposed).
    case leftMirrored = 5
    /// 6: needs a quarter turn clockwise to be upright.
    case right = 6
    /// 7: mirrored along the other diagonal.
    case rightMirrored = 7
    /// 8: needs a quarter turn counter-clockwise to be upright.
    case left = 8

    /// A Boolean value that indicates whether width and height change places when the image is shown.
    public var swapsSides: Bool {
        rawValue >= 5
    }
}
