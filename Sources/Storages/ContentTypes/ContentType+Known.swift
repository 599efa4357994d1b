extension ContentType {
    /// `image/jpeg`.
    public static let jpeg = Self(known: "image/jpeg")
    /// `image/png`.
    public static let png = Self(known: "image/png")
    /// `image/gif`.
    public static let gif = Self(known: "image/gif")
    /// `image/webp`.
    public static let webp = Self(known: "image/webp")
    /// `image/bmp`.
    public static let bmp = Self(known: "image/bmp")
    /// `image/tiff`.
    public static let tiff = Self(known: "image/tiff")
    /// `image/avif`.
    public static let avif = Self(known: "image/avif")
    /// `image/heic`.
    public static let heic = Self(known: "image/heic")
    /// `image/vnd.microsoft.icon`.
    public static let icon = Self(known: "image/vnd.microsoft.icon")
    /// `image/vnd.adobe.photoshop`.
    public static let photoshop = Self(known: "image/vnd.adobe.photoshop")
    /// `image/svg+xml`: active content.
    public static let svg = Self(known: "image/svg+xml")
    /// `application/pdf`.
    public static let pdf = Self(known: "application/pdf")
    /// `application/zip`.
    public static let zip = Self(known: "application/zip")
    /// `application/gzip`.
    public static let gzip = Self(known: "application/gzip")
    /// `video/mp4`.
    public static let mp4 = Self(known: "video/mp4")
    /// `video/quicktime`.
    public static let quickTime = Self(known: "video/quicktime")
    /// `video/webm`.
    public static let webm = Self(known: "video/webm")
    /// `video/matroska`.
    public static let matroska = Self(known: "video/matroska")
    /// `audio/mpeg`.
    public static let mp3 = Self(known: "audio/mpeg")
    /// `audio/mp4`.
    public static let m4a = Self(known: "audio/mp4")
    /// `audio/ogg`.
    public static let ogg = Self(known: "audio/ogg")
    /// `audio/wav`.
    public static let wav = Self(known: "audio/wav")
    /// `audio/flac`.
    public static let flac = Self(known: "audio/flac")
    /// `text/html`: active content.
    public static let html = Self(known: "text/html")
    /// `application/xml`: active content.
    public static let xml = Self(known: "application/xml")
    /// `application/xhtml+xml`: active content.
    public static let xhtml = Self(known: "application/xhtml+xml")
    /// `text/javascript`: active content.
    public static let javaScript = Self(known: "text/javascript")
    /// `text/css`.
    public static let css = Self(known: "text/css")
    /// `text/csv`.
    public static let csv = Self(known: "text/csv")
    /// `text/plain`.
    public static let plainText = Self(known: "text/plain")
    /// `application/json`.
    public static let json = Self(known: "application/json")
    /// `application/wasm`.
    public static let wasm = Self(known: "application/wasm")
    /// `application/x-executable`: a program in ELF format.
    public static let executable = Self(known: "application/x-executable")
    /// `application/vnd.microsoft.portable-executable`: a program for Windows.
    public static let portableExecutable = Self(known: "application/vnd.microsoft.portable-executable")
    /// Word documents of Office Open XML.
    public static let docx = Self(known: "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
    /// Excel workbooks of Office Open XML.
    public static let xlsx = Self(known: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    /// PowerPoint presentations of Office Open XML.
    public static let pptx = Self(known: "application/vnd.openxmlformats-officedocument.presentationml.presentation")
    /// `application/octet-stream`: bytes of no known type.
    public static let octetStream = Self(known: "application/octet-stream")
}
