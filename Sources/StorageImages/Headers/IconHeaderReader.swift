/// Finds the largest picture in the directory of a Windows icon or cursor.
struct IconHeaderReader {
    private var count = 0
    private var entry = -1
    private var best = PixelSize(width: 0, height: 0)
    private var bits: Int?

    mutating func run(
        _ format: ImageFormat,
        _ reader: inout HeaderReader,
        _ window: Span<UInt8>
    ) throws(HeaderStop) -> ImageHeader {
        if entry < 0 {
            let index = try reader.take(6, at: 0, in: window)
            count = window.little16(index + 4)
            guard count >= 1, count <= 1024 else {
                throw .fail(.malformed, "The icon has an impossible number of pictures.")
            }
            entry = 0
        }
        while entry < count {
            let index = try reader.take(16, at: 6 + 16 * Int64(entry), in: window)
            let offset = Int64(window.little32(index + 12))
            guard offset >= 6 + 16 * Int64(count), window.little32(index + 8) > 0 else {
                throw .fail(.malformed, "The icon's directory points into itself.")
            }
            // The byte 0 stands for 256.
            let width = window[index] == 0 ? 256 : Int(window[index])
            let height = window[index + 1] == 0 ? 256 : Int(window[index + 1])
            if width * height > best.pixelCount {
                best = PixelSize(width: width, height: height)
                bits = format == .ico ? window.little16(index + 6) : nil
            }
            entry += 1
        }
        return ImageHeader(
            format: format,
            codedSize: best,
            bitsPerSample: bits.flatMap { $0 == 0 ? nil : min($0, 8) },
            bytesRead: reader.bytesRead
        )
    }
}
