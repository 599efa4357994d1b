extension ContentType {
    /// The type that files with an extension usually have.
    ///
    /// - Parameter fileExtension: Without its dot; case does not count.
    /// - Returns: `nil` for an extension that is not known, or none.
    public init?(fileExtension: String?) {
        guard let fileExtension, let type = ContentType.ofReversedExtension(fileExtension.utf8.reversed()) else {
            return nil
        }
        self = type
    }

    static func ofReversedExtension(_ bytes: some Sequence<UInt8>) -> ContentType? {
        key(bytes).flatMap { byExtension[$0] }
    }

    /// Returns up to eight ASCII letters and digits in one integer, last byte first and without regard to case.
    private static func key(_ reversed: some Sequence<UInt8>) -> UInt64? {
        var key: UInt64 = 0
        var count = 0
        for byte in reversed {
            let folded: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): folded = byte | 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): folded = byte
            default: return nil
            }
            key = key << 8 | UInt64(folded)
            count += 1
            guard count <= 8 else { return nil }
        }
        return count > 0 ? key : nil
    }

    /// The extension, without a dot, that a file of this type should have; `nil` when none is known.
    public var preferredExtension: String? {
        ContentType.preferredExtensions[self]
    }

    private static let byExtension: [UInt64: ContentType] = {
        var result: [UInt64: ContentType] = [:]
        for (type, extensions) in known {
            for name in extensions { if let key = key(name.utf8.reversed()) { result[key] = type } }
        }
        return result
    }()

    private static let preferredExtensions: [ContentType: String] = {
        var result: [ContentType: String] = [:]
        // The first row of a type has the one to give: icons and cursors are of one type.
        for (type, extensions) in known where result[type] == nil { result[type] = extensions.first }
        return result
    }()

    // Types as the IANA registry of media types has them; the preferred extension comes first.
    private static let known = ImageType.table.map { ($0.row.contentType, $0.row.extensions) } + others

    private static let others: [(ContentType, [String])] = [
        (.svg, ["svg"]), (.pdf, ["pdf"]), ("application/postscript", ["ps", "eps", "ai"]),
        (.zip, ["zip"]), (.gzip, ["gz"]), ("application/x-bzip2", ["bz2"]), ("application/x-xz", ["xz"]),
        ("application/zstd", ["zst"]), ("application/x-7z-compressed", ["7z"]), ("application/vnd.rar", ["rar"]),
        ("application/x-tar", ["tar"]), ("application/java-archive", ["jar"]),
        (.mp4, ["mp4", "m4v"]), (.quickTime, ["mov", "qt"]), (.webm, ["webm"]), (.matroska, ["mkv"]),
        ("video/x-msvideo", ["avi"]), ("video/mpeg", ["mpeg", "mpg"]), ("video/ogg", ["ogv"]),
        (.mp3, ["mp3"]), (.m4a, ["m4a"]), ("audio/aac", ["aac"]), (.ogg, ["ogg", "oga", "opus"]),
        (.wav, ["wav"]), (.flac, ["flac"]), ("audio/midi", ["mid", "midi"]),
        (.html, ["html", "htm"]), (.xhtml, ["xhtml", "xht"]), (.xml, ["xml", "xsl", "xslt"]),
        (.javaScript, ["js", "mjs"]), (.css, ["css"]), (.csv, ["csv"]), (.json, ["json", "map"]),
        (.plainText, ["txt", "text", "log"]), ("text/markdown", ["md", "markdown"]), ("text/calendar", ["ics"]),
        ("text/vcard", ["vcf"]), ("application/yaml", ["yaml", "yml"]), ("application/rtf", ["rtf"]),
        (.wasm, ["wasm"]), (.executable, ["elf"]), (.portableExecutable, ["exe", "dll"]),
        ("application/epub+zip", ["epub"]), (.docx, ["docx"]), (.xlsx, ["xlsx"]), (.pptx, ["pptx"]),
        ("application/msword", ["doc"]), ("application/vnd.ms-excel", ["xls"]),
        ("application/vnd.ms-powerpoint", ["ppt"]), ("application/vnd.oasis.opendocument.text", ["odt"]),
        ("application/vnd.oasis.opendocument.spreadsheet", ["ods"]),
        ("application/vnd.oasis.opendocument.presentation", ["odp"]),
        ("font/woff", ["woff"]), ("font/woff2", ["woff2"]), ("font/ttf", ["ttf"]), ("font/otf", ["otf"]),
    ]
}
