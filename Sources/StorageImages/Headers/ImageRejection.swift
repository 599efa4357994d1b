import Storages

/// The error for bytes that no image begins with that can be read here.
enum ImageRejection {
    /// Creates the error, with a message for the uploader.
    ///
    /// - Parameter head: The first bytes of the file, as many as were looked at.
    static func error(for head: Span<UInt8>) -> HeaderStop {
        guard head.count > 0 else { return .fail(.notAnImage, "The file is empty, not an image.") }
        if case .type(let type) = ImageType.match(head) {
            // Another version may read it, so nothing is said about the bytes.
            return .fail(
                .unsupportedFormat,
                "The file is an image of the type \(type.contentType), which cannot be read here. Save it as another."
            )
        }
        var bytes: [UInt8] = []
        for index in 0..<head.count { bytes.append(head[index]) }
        return .fail(.notAnImage, message(for: ContentType(sniffing: bytes)))
    }

    private static func message(for found: ContentType) -> String {
        switch found {
        case .svg, .xml: "The file is an SVG or XML document; only pixel images are accepted."
        case .html, .xhtml: "The file is an HTML document, not an image."
        case .pdf: "The file is a PDF document, not an image."
        case .zip: "The file is a ZIP archive or a document based on ZIP, not an image."
        case .plainText: "The file is text, not an image."
        default:
            "The file does not begin like an image of any known format (JPEG, PNG, GIF, WebP, AVIF, HEIC and others)."
        }
    }
}
