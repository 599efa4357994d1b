public import Storages

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
    /// HEIC, that is HEIF with HEVC, still or sequence.
    case heic
    /// HEIF whose brands name another codec than HEVC and AV1, or none.
    case heif
    /// Windows icon.
    case ico
    /// Windows cursor.
    case cur
    /// Photoshop document, PSD and PSB.
    case psd

    /// The media type to serve such bytes with, for example `image/jpeg`.
    public var contentType: ContentType { type.contentType }

    /// The format's name as people write it, for messages.
    public var displayName: String {
        switch self {
        case .webp: "WebP"
        case .psd: "Photoshop"
        default: rawValue.uppercased()
        }
    }
}

extension ImageFormat {
    /// The row of the table by which the format is recognised.
    var type: ImageType {
        switch self {
        case .jpeg: .jpeg
        case .png: .png
        case .gif: .gif
        case .webp: .webp
        case .bmp: .bmp
        case .tiff: .tiff
        case .avif: .avif
        case .heic: .heic
        case .heif: .heif
        case .ico: .ico
        case .cur: .cur
        case .psd: .psd
        }
    }

    /// Creates the format of a row of the table; `nil` when there is no reader of its header.
    init?(_ type: ImageType) {
        switch type {
        case .jpeg: self = .jpeg
        case .png: self = .png
        case .gif: self = .gif
        case .webp: self = .webp
        case .bmp: self = .bmp
        case .tiff: self = .tiff
        case .avif: self = .avif
        case .heic: self = .heic
        case .heif: self = .heif
        case .ico: self = .ico
        case .cur: self = .cur
        case .psd: self = .psd
        case .jxl: return nil
        }
    }
}
