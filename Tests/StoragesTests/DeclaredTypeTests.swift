import Storages
import Testing

@Suite struct DeclaredTypeTests {
    private static let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let zip: [UInt8] = [0x50, 0x4B, 3, 4]
    private static let ole: [UInt8] = [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]
    private static let pdf = Array("%PDF-1.7 <script>".utf8)
    private static let text = Array("just, text".utf8)
    private static let page = Array("<!DOCTYPE html><p>".utf8)
    private static let drawing = Array("<svg xmlns='x'>".utf8)
    private static let document = Array("<?xml version='1.0'?>\n<note/>".utf8)
    private static let unknown: [UInt8] = [0, 1, 2, 3]
    private static let mp4: [UInt8] = [0, 0, 0, 0x18] + Array("ftypisom\0\0\u{2}\0mp41".utf8)

    @Test(
        "A declared content type chooses among the types that the bytes allow",
        arguments: [
            // What has a signature is that, whatever is said of it.
            (png, "a.png", "text/html", "image/png"), (png, "a", "image/svg+xml", "image/png"),
            (png, "a", "image/jpeg", "image/png"), (png, "a", "application/octet-stream", "image/png"),
            (png, "a", "image/x-png", "image/png"), (png, "a", "image/apng", "image/apng"),
            (pdf, "a", "text/html", "application/pdf"), (pdf, "a.html", "text/html", "application/pdf"),
            (pdf, "a", "text/plain", "application/pdf"), (mp4, "a", "text/javascript", "video/mp4"),
            (mp4, "a", "video/3gpp", "video/3gpp"), (mp4, "a", "audio/ogg", "video/mp4"),
            // The formats of one container.
            (zip, "a", "application/epub+zip", "application/epub+zip"),
            (zip, "a", "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
            (zip, "a", "application/java-archive", "application/java-archive"),
            (zip, "a", "application/x-zip-compressed", "application/zip"),
            (zip, "a.docx", "application/zip", "application/zip"), (zip, "a", "application/pdf", "application/zip"),
            (zip, "a", "text/html", "application/zip"), (ole, "a", "application/msword", "application/msword"),
            (ole, "a", "application/zip", "application/x-ole-storage"),
            // Texts.
            (text, "a", "text/csv", "text/csv"), (text, "a.csv", "application/vnd.ms-excel", "text/csv"),
            (text, "a", "text/markdown", "text/markdown"), (text, "a", "application/json", "application/json"),
            (text, "a", "application/vnd.api+json", "application/vnd.api+json"), (text, "a", "text/html", "text/plain"),
            (text, "a", "text/javascript", "text/plain"), (text, "a", "image/svg+xml", "text/plain"),
            (text, "a", "message/rfc822", "text/plain"), (text, "a", "image/png", "text/plain"),
            (text, "a", "video/mp4", "text/plain"), (text, "a", "application/pdf", "text/plain"),
            (text, "a.html", "text/plain", "text/plain"), (text, "a.js", "text/javascript", "text/javascript"),
            // Markup may be declared to be less.
            (page, "a", "text/plain", "text/plain"), (page, "a", "text/html", "text/html"),
            (page, "a", "text/css", "text/html"), (page, "a", "image/png", "text/html"),
            (page, "a", "image/svg+xml", "text/html"), (drawing, "a", "application/xml", "application/xml"),
            (drawing, "a", "text/html", "image/svg+xml"),
            (document, "a", "application/atom+xml", "application/atom+xml"),
            (document, "a", "text/html", "application/xml"),
            // What nobody knows.
            (unknown, "a", "application/x-own", "application/x-own"),
            (unknown, "a", "text/html", "application/octet-stream"),
            (unknown, "a", "image/png", "application/octet-stream"), (unknown, "a", "image/x-own", "image/x-own"),
            (unknown, "a", "application/xhtml+xml", "application/octet-stream"), ([], "a", "text/csv", "text/csv"),
            ([], "a", "text/html", "application/octet-stream"),
        ] as [([UInt8], String, ContentType, ContentType)]
    )
    func aDeclarationChoosesAmongWhatTheBytesAllow(
        bytes: [UInt8],
        name: String,
        declared: ContentType,
        expected: ContentType
    ) {
        #expect(ContentType(sniffing: bytes, name: name, declared: declared) == expected)
    }

    @Test(
        "A declared content type never turns harmless bytes into active content",
        arguments: [png, zip, ole, pdf, text, unknown, mp4, []]
    )
    func noDeclarationMakesActiveContentOfWhatIsNot(bytes: [UInt8]) {
        for declared: ContentType in [
            .html, .svg, .xml, .xhtml, .javaScript, "application/javascript", "text/xml", "message/rfc822",
            "application/rss+xml", "multipart/related",
        ] {
            #expect(!ContentType(sniffing: bytes, declared: declared).isActiveContent, "\(declared)")
        }
    }

    @Test("The bytes and the name decide the content type if none is declared")
    func withoutADeclarationTheBytesAndTheNameDecide() {
        #expect(ContentType(sniffing: Self.zip, name: "a.docx", declared: nil) == .docx)
        #expect(ContentType(sniffing: Self.text, name: "a.json", declared: nil) == .json)
    }
}
