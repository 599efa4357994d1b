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

    /// A Boolean value that indicates whether every file of the type begins with a signature that is known here.
    private var hasSignature: Bool {
        ContentType.withSignature.contains(self)
    }

    private static let withSignature: Set<ContentType> = {
        let others: [ContentType] = [
            .pdf, .zip, .gzip, .mp4, .quickTime, .webm, .matroska, .m4a, .ogg, "video/ogg", .wav, .flac, .wasm,
            .executable, .portableExecutable, .docx, .xlsx, .pptx, "application/epub+zip",
            "application/x-7z-compressed", "application/vnd.rar", "application/x-xz", "application/x-bzip2",
            "application/zstd", "font/woff", "font/woff2", "video/x-msvideo",
        ]
        return Set(ImageType.table.map(\.row.contentType) + others)
    }()

    private static func signature(of head: [UInt8]) -> ContentType? {
        func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool { head.dropFirst(offset).starts(with: bytes) }
        func begins(_ text: StaticString, at offset: Int = 0) -> Bool {
            text.withUTF8Buffer { head.dropFirst(offset).starts(with: $0) }
        }
        switch ImageType.match(head.span) {
        case .type(let image): return image.contentType
        case .isoMedia:
            let brands = MediaBrands(head.span)
            return brands.imageType?.contentType ?? brands.mediaType
        case nil: break
        }
        // The first byte sorts out nearly all, so a file is compared with few signatures.
        switch head[0] {
        case 0x00:
            if begins("\0asm") { return .wasm }
        case 0x1F where begins([0x1F, 0x8B]): return .gzip
        case 0x28 where begins([0x28, 0xB5, 0x2F, 0xFD]): return "application/zstd"
        case 0x7F where begins([0x7F, 0x45, 0x4C, 0x46]): return .executable
        case 0xD0 where begins([0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]): return "application/x-ole-storage"
        case 0xFD where begins([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]): return "application/x-xz"
        case 0x1A where begins([0x1A, 0x45, 0xDF, 0xA3]):
            // The DocType element of the EBML header, RFC 8794 section 11.2.
            return contains("webm", in: head.prefix(64)) ? .webm : .matroska
        case 0xFF:
            if head.count > 2, head[1] & 0xE6 == 0xE2, head[2] & 0xF0 != 0xF0, head[2] & 0x0C != 0x0C { return .mp3 }
            if head.count > 1, head[1] & 0xF6 == 0xF0 { return "audio/aac" }
        default: break
        }
        if begins("RIFF") {
            if begins("WAVE", at: 8) { return .wav }
            if begins("AVI ", at: 8) { return "video/x-msvideo" }
        }
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
        return nil
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
