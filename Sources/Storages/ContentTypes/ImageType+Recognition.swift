extension ImageType {
    /// The format that the first bytes of a file announce.
    package enum Match: Hashable, Sendable {
        /// This format.
        case type(ImageType)
        /// A file of the ISO base media file format; its brands tell whether it is an image.
        case isoMedia
    }

    /// The number of bytes from the beginning of a file that ``match(_:)`` looks at.
    package static let signatureLength = 18

    /// Compares the first bytes of a file with all signatures.
    ///
    /// - Parameter head: The first ``signatureLength`` bytes, fewer for a shorter file; further ones are not looked at.
    /// - Returns: The format, `nil` for bytes that no image begins with.
    package static func match(_ head: Span<UInt8>) -> Match? {
        for (type, row) in table {
            for signature in row.signatures where signature.matches(head) { return .type(type) }
        }
        return MediaBrands.areIn(head) ? .isoMedia : nil
    }

    /// Creates the format that the first bytes of a file announce, the brands of an ISO media file included.
    ///
    /// - Parameter head: The beginning of the file, with the whole file type box if there is one.
    /// - Returns: `nil` for bytes that no image begins with.
    package init?(sniffing head: Span<UInt8>) {
        switch ImageType.match(head) {
        case .type(let type): self = type
        case .isoMedia:
            guard let type = MediaBrands(head).imageType else { return nil }
            self = type
        case nil: return nil
        }
    }
}

extension ImageType.Signature {
    /// Returns whether the beginning of a file matches; brands are compared by ``MediaBrands``.
    fileprivate func matches(_ head: Span<UInt8>) -> Bool {
        switch self {
        case .bytes(let pattern):
            guard head.count >= pattern.count else { return false }
            for index in 0..<pattern.count {
                if let byte = pattern[index], byte != head[index] { return false }
            }
            return true
        case .bitmapHeader: return Self.isBitmap(head)
        case .brands: return false
        }
    }

    /// Returns whether a file begins as a bitmap.
    ///
    /// The lengths of the second header: 12 (core), 40, 52, 56, 108 and 124 (info, versions 1 to 5), and those of OS/2,
    /// which may end behind any field from 16 to 64
    /// (<https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-header-types>,
    /// <https://www.fileformat.info/format/os2bmp/egff.htm>).
    private static func isBitmap(_ head: Span<UInt8>) -> Bool {
        guard head.count >= 18, head[0] == UInt8(ascii: "B"), head[1] == UInt8(ascii: "M"),
            head[15] == 0, head[16] == 0, head[17] == 0
        else { return false }
        switch head[14] {
        case 12, 16...64, 108, 124: return true
        default: return false
        }
    }
}

/// The brands that the file type box of an ISO media file names (ISO/IEC 14496-12 section 4.3): one major brand, and
/// those that the file is compatible with.
package struct MediaBrands: Sendable {
    /// The lengths in bytes that a file type box may have to be read.
    package static let boxLengths = 16...4096

    /// The major brand, as a big-endian number of its four characters; `nil` while there is none.
    package private(set) var major: UInt32?
    /// The image format that the brands announce; `nil` for a film, for sound, and for what is not known.
    package private(set) var imageType: ImageType?

    private static let types: [UInt32: ImageType] = {
        var result: [UInt32: ImageType] = [:]
        for (type, row) in ImageType.table {
            for case .brands(let brands) in row.signatures {
                for brand in brands { result[number(brand)] = type }
            }
        }
        return result
    }()

    /// Creates an empty set of brands.
    package init() {}

    /// Reads the brands from the beginning of a file, those that are there when it is cut off.
    init(_ head: Span<UInt8>) {
        let length = Self.big32(head, at: 0)
        guard head.count >= 12, Self.boxLengths.contains(Int(length)) else { return }
        add(Self.big32(head, at: 8))
        var offset = 16
        while offset + 4 <= min(Int(length), head.count) {
            add(Self.big32(head, at: offset))
            offset += 4
        }
    }

    /// Adds the next brand of the box; the first one is the major brand.
    ///
    /// - Parameter brand: The big-endian number of its four characters.
    package mutating func add(_ brand: UInt32) {
        if major == nil { major = brand }
        guard let type = Self.types[brand] else { return }
        if let imageType, imageType.rawValue <= type.rawValue { return }
        imageType = type
    }

    /// The type of a file that is no image, as far as the major brand tells.
    var mediaType: ContentType {
        switch major {
        case Self.number("qt  "): .quickTime
        case Self.number("M4A "), Self.number("M4B "), Self.number("M4P "): .m4a
        default: .mp4
        }
    }

    /// Returns whether a file begins with a file type box.
    static func areIn(_ head: Span<UInt8>) -> Bool {
        head.count >= 12 && big32(head, at: 4) == 0x6674_7970
    }

    private static func number(_ brand: String) -> UInt32 {
        brand.utf8.reduce(0) { $0 << 8 | UInt32($1) }
    }

    private static func big32(_ bytes: Span<UInt8>, at index: Int) -> UInt32 {
        guard index + 4 <= bytes.count else { return 0 }
        var number: UInt32 = 0
        for offset in 0..<4 { number = number << 8 | UInt32(bytes[index + offset]) }
        return number
    }
}
