extension ContentType {
    /// Determines the type of a file from its first bytes, its name, and the type that somebody has declared.
    ///
    /// A declaration chooses among the types that the bytes allow, and never widens what they are: a picture that is
    /// declared to be HTML stays a picture. See ``admits(declared:)`` for what is allowed. Without a declaration, or
    /// with one that is not allowed or another name of the same type, this is ``init(sniffing:name:)``.
    ///
    /// - Parameters:
    ///   - bytes: The beginning of the file; more than ``sniffedBytes`` are not looked at.
    ///   - name: The file's name, for its extension. Default: none.
    ///   - declared: What the sender says, such as the header of a form's part. Default: nothing.
    public init(sniffing bytes: some Collection<UInt8>, name: String? = nil, declared: ContentType?) {
        let sniffed = ContentType(sniffing: bytes, name: name)
        guard let declared, declared.canonical != sniffed.canonical,
            ContentType(sniffing: bytes).admits(declared: declared)
        else {
            self = sniffed
            return
        }
        self = declared
    }

    /// Returns whether a file whose bytes were recognised as this type, without regard to its name, may be served as
    /// another.
    ///
    /// - A format with a signature (image, sound, film, font, archive, PDF, program) may be declared as the same
    ///   format, and as what is kept in that container: ZIP as DOCX or EPUB, Ogg as sound or film.
    /// - `text/html`, `image/svg+xml` and XML may be declared as themselves, as a kind of XML where they are XML, and
    ///   as `text/plain` or `application/octet-stream`.
    /// - `text/plain` may be declared as every type of text or data without a signature that is not active content:
    ///   CSV, Markdown, JSON.
    /// - `application/octet-stream` may be declared as everything but active content, and images that begin with a
    ///   signature.
    ///
    /// After WHATWG MIME Sniffing sections 6 and 7: the signature of an image, of sound, film, a font or an archive
    /// counts for more than what is declared, and a type in which scripts run is never arrived at by a declaration.
    ///
    /// - Parameter declared: What the sender says.
    /// - Returns: Whether the declaration can be believed.
    /// - Complexity: O(1).
    public func admits(declared: ContentType) -> Bool {
        let (found, declared) = (canonical, declared.canonical)
        if found == declared { return true }
        if let family = found.family { return declared.family == family }
        if found.isActiveContent {
            if declared == .plainText || declared == .octetStream { return true }
            return found != .html && declared.isMarkupOfXML
        }
        if declared.isActiveContent { return false }
        if found == .octetStream { return !(declared.isImage && declared.family != nil) }
        return declared.family == nil && declared.canBeText
    }

    /// A Boolean value that indicates whether all files of the type are XML, so that a browser that takes it for this
    /// type takes it for active content.
    private var isMarkupOfXML: Bool { rawValue.hasSuffix("+xml") || rawValue.hasSuffix("/xml") }

    private var canBeText: Bool {
        if self == .octetStream { return true }
        if ContentType.playlists.contains(rawValue) { return true }
        return ["text/", "application/", "model/", "message/", "chemical/"].contains { rawValue.hasPrefix($0) }
    }

    /// The name under which the type is registered with IANA, where synonyms are in use.
    private var canonical: ContentType { ContentType.synonyms[rawValue].map(ContentType.init(known:)) ?? self }

    /// The container that files of the type begin with; `nil` for a type without a signature.
    private var family: String? {
        if let family = ContentType.families[rawValue] { return family }
        let isPackage =
            rawValue.hasPrefix("application/vnd.openxmlformats-officedocument.")
            || rawValue.hasPrefix("application/vnd.oasis.opendocument.")
            || rawValue.hasSuffix(".macroenabled.12") || rawValue.hasSuffix("+zip")
        return isPackage ? "zip" : nil
    }

    private static let families: [String: String] = {
        var result: [String: String] = [:]
        for (family, members) in membersOfFamilies { for member in members { result[member] = family } }
        for (_, row) in ImageType.table {
            for member in [row.contentType.rawValue] + row.related { result[member] = row.container }
        }
        return result
    }()

    /// The formats that are no images, by what their files begin with.
    private static let membersOfFamilies: [(String, [String])] = [
        (
            "zip",
            [
                "application/zip", "application/java-archive", "application/vnd.android.package-archive",
                "application/x-xpinstall", "application/vnd.google-earth.kmz", "application/vnd.ms-xpsdocument",
                "application/oxps", "application/vnd.ms-visio.drawing", "application/vnd.apple.pages",
                "application/vnd.apple.numbers", "application/vnd.apple.keynote", "model/3mf",
            ]
        ),
        (
            "ole",
            [
                "application/x-ole-storage", "application/msword", "application/vnd.ms-excel",
                "application/vnd.ms-powerpoint", "application/vnd.ms-outlook", "application/vnd.ms-project",
                "application/vnd.visio", "application/x-msi",
            ]
        ),
        ("ogg", ["audio/ogg", "video/ogg", "application/ogg", "audio/opus", "audio/vorbis", "audio/speex"]),
        (
            "mp4",
            [
                "video/mp4", "audio/mp4", "application/mp4", "video/quicktime", "video/x-m4v", "video/3gpp",
                "audio/3gpp",
                "video/3gpp2", "audio/3gpp2", "video/mj2",
            ]
        ),
        ("matroska", ["video/webm", "audio/webm", "video/matroska", "audio/matroska", "video/matroska-3d"]),
        ("gzip", ["application/gzip", "application/x-compressed-tar"]),
        ("pdf", ["application/pdf", "application/illustrator"]),
        ("postscript", ["application/postscript", "application/eps"]),
        ("wav", ["audio/wav"]), ("avi", ["video/x-msvideo"]), ("mpeg audio", ["audio/mpeg"]), ("flac", ["audio/flac"]),
        ("aac", ["audio/aac"]), ("7z", ["application/x-7z-compressed"]),
        ("rar", ["application/vnd.rar", "application/vnd.comicbook-rar"]),
        ("xz", ["application/x-xz"]), ("bzip2", ["application/x-bzip2"]), ("zstd", ["application/zstd"]),
        ("tar", ["application/x-tar", "application/x-gtar"]), ("wasm", ["application/wasm"]),
        ("elf", ["application/x-executable", "application/x-sharedlib", "application/x-object"]),
        ("pe", ["application/vnd.microsoft.portable-executable"]),
        ("woff", ["font/woff"]), ("woff2", ["font/woff2"]),
    ]

    /// The names that browsers and operating systems send instead of the registered ones.
    private static let synonyms: [String: String] = {
        var result = otherSynonyms
        for (_, row) in ImageType.table { for alias in row.aliases { result[alias] = row.contentType.rawValue } }
        return result
    }()

    private static let otherSynonyms: [String: String] = [
        "application/x-pdf": "application/pdf",
        "application/x-zip-compressed": "application/zip", "application/x-zip": "application/zip",
        "application/x-gzip": "application/gzip", "application/x-rar-compressed": "application/vnd.rar",
        "application/x-rar": "application/vnd.rar", "application/x-bzip": "application/x-bzip2",
        "application/x-zstd": "application/zstd", "audio/mp3": "audio/mpeg", "audio/x-mpeg": "audio/mpeg",
        "audio/x-wav": "audio/wav", "audio/wave": "audio/wav", "audio/vnd.wave": "audio/wav",
        "audio/x-flac": "audio/flac", "audio/x-m4a": "audio/mp4", "audio/x-aac": "audio/aac",
        "video/avi": "video/x-msvideo", "video/msvideo": "video/x-msvideo", "video/x-matroska": "video/matroska",
        "audio/x-matroska": "audio/matroska", "application/font-woff": "font/woff",
        "application/x-font-woff": "font/woff",
        "application/x-msdownload": "application/vnd.microsoft.portable-executable",
        "application/x-dosexec": "application/vnd.microsoft.portable-executable",
        "application/x-elf": "application/x-executable", "text/xml": "application/xml",
        "application/javascript": "text/javascript", "application/x-javascript": "text/javascript",
        "text/json": "application/json", "text/x-markdown": "text/markdown", "text/yaml": "application/yaml",
        "application/x-yaml": "application/yaml", "application/csv": "text/csv", "text/rtf": "application/rtf",
    ]

    /// Texts that have a type of sound.
    private static let playlists: Set<String> = ["audio/mpegurl", "audio/x-mpegurl", "audio/x-scpls"]
}
