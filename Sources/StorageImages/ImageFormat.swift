/// The image formats that ``ImageHeaderParser`` recognises by their first bytes.
///
/// The raw value is a stable lower-case name, good for a column or a log line.
public enum ImageFormat: String, Hashable, Sendable, CaseIterable {
    /// JPEG (ITU T.81), including MPO.
    case jpeg
    /// PNG and APNG, including Apple's CgBI variant.
    case png
    /// GIF 87a and 89a.
    case gif
    /// WebP, lossy, lossless and extended.
    case webp
    /// Windows and OS/2 bitmap.
    case bmp
    /// TIFF and BigTIFF; camera raw formats built on TIFF are reported as this too.
    case tiff
    /// AVIF, still or sequence.
    case avif
    /// HEIF and HEIC, still or sequence.
    case heic
    /// Windows icon.
    case ico
    /// Windows cursor.
    case cur
    /// Photoshop document, PSD and PSB.
    case psd

    /// The media type to serve such bytes with, for example `image/jpeg`.
    public var mediaType: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .gif: "image/gif"
        case .webp: "image/webp"
        case .bmp: "image/bmp"
        case .tiff: "image/tiff"
        case .avif: "image/avif"
        case .heic: "image/heic"
        case .ico, .cur: "image/x-icon"
        case .psd: "image/vnd.adobe.photoshop"
        }
    }

    /// The usual file name extension, without the dot.
    public var fileExtension: String {
        switch self {
        case .jpeg: "jpg"
        case .tiff: "tif"
        default: rawValue
        }
    }

    /// The format's name as people write it, for messages.
    public var displayName: String {
        switch self {
        case .webp: "WebP"
        case .psd: "Photoshop"
        default: rawValue.uppercased()
        }
    }
}
