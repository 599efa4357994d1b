/// Recognises image formats, and the usual things that are none, by the first bytes.
enum ImageSignature {
    /// The most bytes that are looked at.
    static let length = 18

    /// The format that the first bytes announce; BMP and the ISO media formats are confirmed by their readers.
    static func format(_ window: Span<UInt8>, _ index: Int, count: Int) -> ImageFormat? {
        guard count >= 4 else { return nil }
        let first = window.big32(index)
        if first >> 8 == 0xFFD8FF { return .jpeg }
        switch first {
        case 0x8950_4E47 where count >= 8 && window.big32(index + 4) == 0x0D0A_1A0A: return .png
        case 0x4749_4638 where count >= 6 && isGIFVersion(window.big16(index + 4)): return .gif
        case 0x5249_4646 where count >= 12 && window.big32(index + 8) == 0x5745_4250: return .webp
        case 0x4949_2A00, 0x4D4D_002A, 0x4949_2B00, 0x4D4D_002B: return .tiff
        case 0x0000_0100 where count >= length: return .ico
        case 0x0000_0200 where count >= length: return .cur
        case 0x3842_5053 where count >= 6 && isPhotoshopVersion(window.big16(index + 4)): return .psd
        default: break
        }
        // "BM" also begins texts; a plausible length of the second header tells them apart.
        if first >> 16 == 0x424D, count >= length, isBitmapHeader(window.little32(index + 14)) { return .bmp }
        if count >= 12, window.big32(index + 4) == 0x6674_7970 { return .heic }
        return nil
    }

    private static func isGIFVersion(_ version: Int) -> Bool { version == 0x3761 || version == 0x3961 }

    private static func isPhotoshopVersion(_ version: Int) -> Bool { version == 1 || version == 2 }

    private static func isBitmapHeader(_ length: Int) -> Bool { length == 12 || (16...1024).contains(length) }

    /// Returns a description, for the uploader, of bytes that are no image.
    static func rejection(_ window: Span<UInt8>, _ index: Int, count: Int) -> String {
        guard count > 0 else { return "The file is empty, not an image." }
        var start = index
        let end = index + count
        if count >= 3, window[index] == 0xEF, window[index + 1] == 0xBB, window[index + 2] == 0xBF { start += 3 }
        while start < end, isSpace(window[start]) { start += 1 }
        var letters: [UInt8] = []
        for position in start..<end { letters.append(window[position] | 0x20) }
        func begins(_ text: StaticString) -> Bool { letters.starts(with: String(describing: text).utf8) }
        if begins("<svg") || begins("<?xml") {
            return "The file is an SVG or XML document; only pixel images are accepted."
        }
        if begins("<!doctype") || begins("<html") || begins("<head") || begins("<script") || begins("<body") {
            return "The file is an HTML document, not an image."
        }
        if begins("%pdf") { return "The file is a PDF document, not an image." }
        if count >= 4, window.big16(index) == 0x504B, window[index + 2] <= 8 {
            return "The file is a ZIP archive or a document based on ZIP, not an image."
        }
        var isText = true
        for position in index..<end where window[position] < 0x20 && !isSpace(window[position]) { isText = false }
        return isText
            ? "The file is text, not an image."
            : "The file does not begin like an image of any known format (JPEG, PNG, GIF, WebP, AVIF, HEIC and others)."
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
