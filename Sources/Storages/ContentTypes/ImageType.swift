/// The image formats that are recognised by their first bytes: the one table of their media types, extensions and
/// signatures.
///
/// ``ContentType`` sniffs, names and compares images by this table, and `ImageFormat` of the module `StorageImages` has
/// a case for each of them whose header it can read. A new format is a new case here; the compiler then asks for its
/// row and for its counterpart in `ImageFormat`.
package enum ImageType: UInt8, CaseIterable, Hashable, Sendable {
    // In the order of precedence, by raw value: a file with the brands of several formats is of the first of them.
    case jpeg, png, gif, webp, bmp, tiff, avif, heic, heif, ico, cur, psd, jxl

    /// The row of the table for a format.
    struct Row: Sendable {
        /// The media type that IANA has registered, <https://www.iana.org/assignments/media-types>.
        var contentType: ContentType
        /// Names of the same media type that browsers and operating systems send instead of the registered one.
        var aliases: [String] = []
        /// The container that the files begin with; formats of one container may be declared as each other.
        var container: String
        /// Other media types whose files begin with the same container.
        var related: [String] = []
        /// The usual extensions, the preferred one first.
        var extensions: [String]
        /// The signatures, one of which every file begins with.
        var signatures: [Signature]
    }

    /// A pattern that the first bytes of a file match.
    enum Signature: Hashable, Sendable {
        /// These bytes, of which `nil` is any byte.
        case bytes([UInt8?])
        /// "BM", which also begins texts, and a header of one of the lengths that there are.
        case bitmapHeader
        /// A file type box of the ISO base media file format that names one of these brands.
        case brands([String])
    }

    /// The media type that IANA has registered.
    package var contentType: ContentType { row.contentType }

    /// The rows of all formats, in the order of precedence.
    static let table = allCases.map { (type: $0, row: $0.row) }

    /// The row of the format.
    ///
    /// Where nothing else is said, the signature is that of the WHATWG's MIME Sniffing Standard, section 6.1,
    /// <https://mimesniff.spec.whatwg.org/#matching-an-image-type-pattern>.
    var row: Row {
        switch self {
        case .jpeg:
            Row(
                contentType: .jpeg,
                aliases: ["image/jpg", "image/pjpeg"],
                container: "jpeg",
                extensions: ["jpg", "jpeg", "jpe", "jfif"],
                signatures: [.bytes([0xFF, 0xD8, 0xFF])]
            )
        case .png:
            Row(
                contentType: .png,
                aliases: ["image/x-png"],
                container: "png",
                related: ["image/apng"],
                extensions: ["png"],
                signatures: [.bytes([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])]
            )
        case .gif:
            Row(
                contentType: .gif,
                container: "gif",
                extensions: ["gif"],
                signatures: [.ascii("GIF87a"), .ascii("GIF89a")]
            )
        case .webp:
            // RFC 9649 section 2.4, <https://www.rfc-editor.org/rfc/rfc9649#section-2.4>. The standard above asks for
            // "VP" behind it, which the reader of the header checks.
            Row(
                contentType: .webp,
                container: "webp",
                extensions: ["webp"],
                signatures: [.ascii("RIFF????WEBP")]
            )
        case .bmp:
            Row(
                contentType: .bmp,
                aliases: ["image/x-ms-bmp", "image/x-bmp"],
                container: "bmp",
                extensions: ["bmp", "dib"],
                signatures: [.bitmapHeader]
            )
        case .tiff:
            // TIFF 6.0 section 2, and BigTIFF, <https://www.loc.gov/preservation/digital/formats/fdd/fdd000328.shtml>.
            Row(
                contentType: .tiff,
                container: "tiff",
                related: ["image/tiff-fx", "image/x-adobe-dng", "image/x-canon-cr2", "image/x-nikon-nef"],
                extensions: ["tiff", "tif"],
                signatures: [
                    .bytes([0x49, 0x49, 0x2A, 0]), .bytes([0x4D, 0x4D, 0, 0x2A]),
                    .bytes([0x49, 0x49, 0x2B, 0]), .bytes([0x4D, 0x4D, 0, 0x2B]),
                ]
            )
        case .avif:
            // <https://aomediacodec.github.io/av1-avif/#brands>: `avis` is a sequence, of the same media type.
            Row(
                contentType: .avif,
                container: "heif",
                related: ["image/avif-sequence"],
                extensions: ["avif"],
                signatures: [.brands(["avif", "avis"])]
            )
        case .heic:
            // HEIF with HEVC: ISO/IEC 23008-12 annex B; registered as
            // <https://www.iana.org/assignments/media-types/image/heic> and `image/heic-sequence`.
            Row(
                contentType: .heic,
                container: "heif",
                related: ["image/heic-sequence"],
                extensions: ["heic"],
                signatures: [.brands(["heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"])]
            )
        case .heif:
            // The structural brands, which say nothing about the codec (ISO/IEC 23008-12 section 10.2, ISO/IEC
            // 23000-22), and AVC: <https://www.iana.org/assignments/media-types/image/heif>.
            Row(
                contentType: "image/heif",
                container: "heif",
                related: ["image/heif-sequence"],
                extensions: ["heif"],
                signatures: [.brands(["mif1", "mif2", "msf1", "miaf", "avci"])]
            )
        case .ico:
            // Registered without the "x-" that RFC 6648 deprecates:
            // <https://www.iana.org/assignments/media-types/image/vnd.microsoft.icon>.
            Row(
                contentType: .icon,
                aliases: ["image/x-icon"],
                container: "icon",
                extensions: ["ico"],
                signatures: [.bytes([0, 0, 1, 0])]
            )
        case .cur:
            // Without a type of its own; the standard above gives it that of an icon.
            Row(contentType: .icon, container: "icon", extensions: ["cur"], signatures: [.bytes([0, 0, 2, 0])])
        case .psd:
            // Version 1 is PSD, version 2 is PSB:
            // <https://www.adobe.com/devnet-apps/photoshop/fileformatashtml/#50577409_19840>.
            Row(
                contentType: .photoshop,
                aliases: ["image/x-photoshop"],
                container: "photoshop",
                extensions: ["psd", "psb"],
                signatures: [.ascii("8BPS\0\u{1}"), .ascii("8BPS\0\u{2}")]
            )
        case .jxl:
            // A bare codestream, and the container of ISO/IEC 18181-2.
            Row(
                contentType: "image/jxl",
                container: "jxl",
                extensions: ["jxl"],
                signatures: [
                    .bytes([0xFF, 0x0A]),
                    .bytes([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20, 0x0D, 0x0A, 0x87, 0x0A]),
                ]
            )
        }
    }
}

extension ImageType.Signature {
    /// These ASCII characters, of which `?` is any byte.
    fileprivate static func ascii(_ text: String) -> Self {
        .bytes(text.utf8.map { $0 == UInt8(ascii: "?") ? nil : $0 })
    }
}
