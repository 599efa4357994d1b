extension ContentType {
    /// The number of bytes from the beginning of a file that are enough for ``init(sniffing:name:)``.
    public static let sniffedBytes = 4096

    /// Determines the type of a file from its first bytes, then from its name.
    ///
    /// What the bytes say counts for more than the name: HTML called `photo.jpg` is HTML. Where many formats share one
    /// container, as Office documents do ZIP, the extension chooses among them. A name that claims a format which
    /// always begins with a signature, and the bytes have none, is not believed.
    ///
    /// - Parameters:
    ///   - bytes: The beginning of the file; more than ``sniffedBytes`` are not looked at. Empty: the name decides
    ///     alone.
    ///   - name: The file's name, for its extension. Default: none.
    public init(sniffing bytes: some Collection<UInt8>, name: String? = nil) {
        let head = Array(bytes.prefix(ContentType.sniffedBytes))
        let byName = ContentType(fileExtension: name.flatMap(ContentType.fileExtension(of:)))
        guard !head.isEmpty else {
            self = byName ?? .octetStream
            return
        }
        if let container = ContentType.signature(of: head) {
            self = container.narrowed(by: byName)
        } else if let markup = MarkupSniffer(head).contentType {
            self = markup
        } else if let byName, !byName.hasSignature {
            self = byName
        } else {
            self = MarkupSniffer(head).isText ? .plainText : .octetStream
        }
    }

    private static func fileExtension(of name: String) -> String? {
        let last = name.utf8.split(whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }).last
        guard let last, let dot = last.lastIndex(of: UInt8(ascii: ".")), dot != last.startIndex else { return nil }
        return String(Substring(last[last.index(after: dot)...]))
    }

    /// Returns the format that the extension chooses among those in one container.
    private func narrowed(by byName: ContentType?) -> ContentType {
        guard let byName else { return self }
        let kin: [ContentType] =
            switch self {
            case .zip:
                [
                    .docx, .xlsx, .pptx, "application/epub+zip", "application/java-archive",
                    "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
                    "application/vnd.oasis.opendocument.presentation",
                ]
            case "application/x-ole-storage":
                ["application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"]
            case .ogg: ["video/ogg"]
            case .mp4: [.m4a, .quickTime]
            case .executable, .portableExecutable: []
            default: []
            }
        return kin.contains(byName) ? byName : self
    }

    /// A Boolean value that indicates whether every file of the type begins with one of the signatures below.
    private var hasSignature: Bool {
        let withSignature: Set<ContentType> = [
            .jpeg, .png, .gif, .webp, .bmp, .tiff, .avif, .heic, "image/heif", .icon, .photoshop, .pdf, .zip, .gzip,
            .mp4, .quickTime, .webm, .matroska, .m4a, .ogg, "video/ogg", .wav, .flac, .wasm, .executable,
            .portableExecutable, .docx, .xlsx, .pptx, "application/epub+zip", "application/x-7z-compressed",
            "application/vnd.rar", "application/x-xz", "application/x-bzip2", "application/zstd", "font/woff",
            "font/woff2", "video/x-msvideo", "image/jxl",
        ]
        return withSignature.contains(self)
    }

    private static func signature(of head: [UInt8]) -> ContentType? {
        func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: bytes) }
        func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
            text.withUTF8Buffer { head.dropFirst(offset).starts(with: $0) }
        }
        // The first byte sorts out nearly all, so a file is compared with few signatures.
        switch head[0] {
        case 0x00:
            if begins([0, 0, 1, 0]) || begins([0, 0, 2, 0]) { return .icon }
            if begins("\0asm") { return .wasm }
            if begins([0, 0, 0, 0x0C, 0x4A, 0x58, 0x4C, 0x20]) { return "image/jxl" }
        case 0x1F where begins([0x1F, 0x8B]): return .gzip
        case 0x28 where begins([0x28, 0xB5, 0x2F, 0xFD]): return "application/zstd"
        case 0x7F where begins([0x7F, 0x45, 0x4C, 0x46]): return .executable
        case 0x89 where begins([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]): return .png
        case 0xD0 where begins([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]): return "application/x-ole-storage"
        case 0xFD where begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]): return "application/x-xz"
        case 0x1A where begins([0x1A, 0x45, 0xDF, 0xA3]):
            // The DocType element of the EBML header, RFC 8794 section 11.2.
            return contains("webm", in: head.prefix(64)) ? .webm : .matroska
        case 0xFF:
            if begins([0xFF, 0xD8, 0xFF]) { return .jpeg }
            if begins([0xFF, 0x0A]) { return "image/jxl" }
            if head.count > 2, head[1] & 0xE6 == 0xE2, head[2] & 0xF0 != 0xF0, head[2] & 0x0C != 0x0C { return .mp3 }
            if head.count > 1, head[1] & 0xF6 == 0xF0 { return "audio/aac" }
        default: break
        }
        if begins("GIF87a") || begins("GIF89a") { return .gif }
        if begins("RIFF") {
            if begins("WEBP", at: 8) { return .webp }
            if begins("WAVE", at: 8) { return .wav }
            if begins("AVI ", at: 8) { return "video/x-msvideo" }
        }
        if begins("BM"), isBitmap(head) { return .bmp }
        if begins([0x49, 0x49, 0x2A, 0]) || begins([0x4D, 0x4D, 0, 0x2A]) { return .tiff }
        if begins([0x49, 0x49, 0x2B, 0]) || begins([0x4D, 0x4D, 0, 0x2B]) { return .tiff }
        if begins("8BPS") { return .photoshop }
        if begins("%PDF-") { return .pdf }
        if begins("%!PS") { return "application/postscript" }
        if begins("PK\u{3}\u{4}") || begins("PK\u{5}\u{6}") { return .zip }
        if begins("OggS") { return .ogg }
        if begins("fLaC") { return .flac }
        if begins("ID3") { return .mp3 }
        if begins("wOFF") { return "font/woff" }
        if begins("wOF2") { return "font/woff2" }
        if begins("BZh") { return "application/x-bzip2" }
        if begins([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C]) { return "application/x-7z-compressed" }
        if begins("Rar!\u{1A}\u{7}") { return "application/vnd.rar" }
        if begins("MZ"), isPortableExecutable(head) { return .portableExecutable }
        if begins("ustar", at: 257) { return "application/x-tar" }
        if begins("ftyp", at: 4) { return isoBaseMedia(head) }
        return nil
    }

    /// ISO/IEC 14496-12 section 4.3: the file type box names a major brand and compatible ones.
    private static func isoBaseMedia(_ head: [UInt8]) -> ContentType {
        let size = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        let box = head.prefix(min(max(size, 16), 256))
        var brands: [String] = []
        var offset = 8
        while offset + 4 <= box.count {
            if offset != 12 { brands.append(String(decoding: box[offset..<offset + 4], as: UTF8.self)) }
            offset += 4
        }
        if brands.contains("avif") || brands.contains("avis") { return .avif }
        if brands.contains(where: { ["heic", "heix", "hevc", "hevx", "heim", "heis"].contains($0) }) { return .heic }
        if brands.contains("mif1") || brands.contains("msf1") { return "image/heif" }
        switch brands.first {
        case "qt  ": return .quickTime
        case "M4A ", "M4B ", "M4P ": return .m4a
        default: return .mp4
        }
    }

    /// "BM" begins many texts; a bitmap also has one of the known sizes of its second header at offset 14.
    private static func isBitmap(_ head: [UInt8]) -> Bool {
        guard head.count >= 18 else { return false }
        return [12, 16, 40, 52, 56, 64, 108, 124].contains(head[14]) && head[15] == 0 && head[16] == 0 && head[17] == 0
    }

    /// "MZ" begins texts too; a program has the offset of its "PE" header at 60.
    private static func isPortableExecutable(_ head: [UInt8]) -> Bool {
        guard head.count >= 64 else { return false }
        let offset = Int(head[60]) | Int(head[61]) << 8 | Int(head[62]) << 16
        // The header may lie behind what was given; the zero bytes of the DOS header then still tell it from text.
        return head.dropFirst(offset).starts(with: [0x50, 0x45, 0, 0]) || offset >= head.count && head.contains(0)
    }

    private static func contains(_ text: String, in bytes: ArraySlice<UInt8>) -> Bool {
        let wanted = Array(text.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: wanted) }
    }
}
