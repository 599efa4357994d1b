import Testing

@testable import Storages

@Suite struct ContentTypeTests {
    @Test(
        "A content type is detected from the first bytes of a file",
        arguments: [
            ([0xFF, 0xD8, 0xFF, 0xE0], ContentType.jpeg), ([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], .png),
            (Array("GIF89a".utf8), .gif), (Array("RIFF\u{4}\0\0\0WEBPVP8 ".utf8), .webp),
            (Array("RIFF\u{4}\0\0\0WAVEfmt ".utf8), .wav),
            ([0x42, 0x4D] + [UInt8](repeating: 0, count: 12) + [40, 0, 0, 0], .bmp),
            ([0x49, 0x49, 0x2A, 0], .tiff), ([0x4D, 0x4D, 0, 0x2A], .tiff), ([0, 0, 1, 0, 1, 0], .icon),
            (Array("8BPS\0\u{1}".utf8), .photoshop), (Array("%PDF-1.7".utf8), .pdf), ([0x50, 0x4B, 3, 4], .zip),
            ([0x1F, 0x8B, 8], .gzip), (Array("OggS\0".utf8), .ogg), (Array("fLaC".utf8), .flac),
            (Array("ID3\u{4}".utf8), .mp3),
            ([0xFF, 0xFB, 0x90, 0x64], .mp3), ([0, 0x61, 0x73, 0x6D, 1, 0, 0, 0], .wasm),
            ([0x7F, 0x45, 0x4C, 0x46, 2], .executable),
            ([0, 0, 0, 0x1C] + Array("ftypavif\0\0\0\0mif1".utf8), .avif),
            ([0, 0, 0, 0x18] + Array("ftypmif1\0\0\0\0heic".utf8), .heic),
            ([0, 0, 0, 0x18] + Array("ftypheic\0\0\0\0mif1".utf8), .heic),
            ([0, 0, 0, 0x14] + Array("ftypqt  \0\0\0\0qt  ".utf8), .quickTime),
            ([0, 0, 0, 0x18] + Array("ftypisom\0\0\u{2}\0mp41".utf8), .mp4),
            ([0, 0, 0, 0x18] + Array("ftypM4A \0\0\u{2}\0isom".utf8), .m4a),
            ([0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x82, 0x84] + Array("webm".utf8), .webm),
            ([0x1A, 0x45, 0xDF, 0xA3, 0x9F, 0x42, 0x82, 0x88] + Array("matroska".utf8), .matroska),
            (Array("<!DOCTYPE html><p>".utf8), .html), (Array("\u{FEFF} \n<HTML>".utf8), .html),
            (Array("<!-- hello --><script>".utf8), .html), (Array("<svg xmlns='x'>".utf8), .svg),
            (Array("<?xml version='1.0'?><!-- c --><!DOCTYPE svg PUBLIC 'x'><svg>".utf8), .svg),
            (Array("<?xml version='1.0'?>\n<note/>".utf8), .xml), (Array("<?xml?><html xmlns='x'>".utf8), .xhtml),
            ([0xFF, 0xFE] + Array("<script>".utf8).flatMap { [$0, 0] }, .html),
            (Array("just text".utf8), .plainText), ([0, 1, 2, 3], .octetStream), ([0xFF], .octetStream),
            (Array("BM is a text".utf8), .plainText), (Array("MZ is a text".utf8), .plainText),
        ] as [([UInt8], ContentType)]
    )
    func knowsTypesByTheirBytes(bytes: [UInt8], expected: ContentType) {
        #expect(ContentType(sniffing: bytes) == expected)
    }

    @Test(
        "The file extension decides between the formats that are ZIP archives",
        arguments: [
            ("a.docx", ContentType.docx), ("a.xlsx", .xlsx), ("a.PPTX", .pptx), ("a.zip", .zip), ("a.jpg", .zip),
            ("a", .zip),
        ]
    )
    func letsTheExtensionChooseAmongFormatsInZIP(name: String, expected: ContentType) {
        #expect(ContentType(sniffing: [0x50, 0x4B, 3, 4], name: name) == expected)
    }

    @Test(
        "The file name decides the content type only for formats without a signature",
        arguments: [
            ("x.json", ContentType.json), ("x.css", .css), ("x.csv", .csv), ("x.js", .javaScript),
            ("x.txt", .plainText),
            ("x.jpg", .plainText), ("dir.png/x", .plainText), ("x.unknown", .plainText), ("x.html", .html),
        ]
    )
    func believesNamesOnlyForFormatsWithoutSignature(name: String, expected: ContentType) {
        #expect(ContentType(sniffing: Array("{\"a\": 1}".utf8), name: name) == expected)
    }

    @Test("The content type follows the bytes if the file name contradicts them")
    func trustsBytesMoreThanTheName() {
        #expect(ContentType(sniffing: Array("<html><script>".utf8), name: "photo.jpg") == .html)
        #expect(ContentType(sniffing: [0x7F, 0x45, 0x4C, 0x46], name: "photo.jpg") == .executable)
        #expect(ContentType(sniffing: [] as [UInt8], name: "photo.jpg") == .jpeg)
        #expect(ContentType(sniffing: [] as [UInt8]) == .octetStream)
    }

    @Test(
        "HTML, SVG, XML and JavaScript are active content",
        arguments: [
            "text/html", "image/svg+xml", "application/xml", "text/xml", "application/xhtml+xml", "text/javascript",
            "application/rss+xml",
        ] as [ContentType]
    )
    func knowsActiveContent(type: ContentType) {
        #expect(type.isActiveContent)
    }

    @Test(
        "Images, PDF, text, JSON, ZIP and CSS are not active content",
        arguments: [.jpeg, .png, .pdf, .plainText, .json, .zip, .octetStream, .css] as [ContentType]
    )
    func knowsHarmlessContent(type: ContentType) {
        #expect(!type.isActiveContent)
    }

    @Test("A content type is parsed from a header or a file extension, and refused if malformed")
    func parsesHeaders() {
        #expect(ContentType("Text/HTML; charset=utf-8") == .html)
        #expect(ContentType(" image/png ") == .png)
        for header in ["", "text", "text/", "/html", "a/b/c", "text/ht ml", "text/html\r\nX: y", "tex\u{E9}t/x"] {
            #expect(ContentType(header) == nil, "\(header.debugDescription)")
        }
        #expect(ContentType.jpeg.preferredExtension == "jpg")
        #expect(ContentType(fileExtension: "JPEG") == .jpeg)
        #expect(ContentType(fileExtension: nil) == nil)
    }
}
