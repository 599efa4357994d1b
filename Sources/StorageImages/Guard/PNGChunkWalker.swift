/// Walks over the chunks of a PNG while its bytes stream by.
///
/// libpng allocates and clears the claimed length of a chunk before it reads it, so that 45 bytes can cost 2 GB: a
/// chunk that reaches beyond the file's end is refused. Only IDAT may: libpng reads it piece by piece, and a file that
/// was cut off there is a decoder's to judge.
struct PNGChunkWalker {
    private var remaining: Int64 = 8
    private var position: Int64 = 0
    private var header: (bytes: UInt64, count: Int) = (0, 0)
    private var claimedEnd: Int64 = 0
    private var isDataChunk = false

    /// A Boolean value that indicates whether the IEND chunk was seen.
    private(set) var isComplete = false

    private static let idat: UInt64 = 0x4944_4154
    private static let iend: UInt64 = 0x4945_4E44

    /// Looks at the next bytes.
    mutating func consume(_ bytes: Span<UInt8>, totalSize: Int64?) throws(ImageError) {
        var index = 0
        while index < bytes.count, !isComplete {
            if remaining > 0 {
                let step = min(remaining, Int64(bytes.count - index))
                remaining -= step
                position += step
                index += Int(step)
            } else {
                header = (header.bytes << 8 | UInt64(bytes[index]), header.count + 1)
                position += 1
                index += 1
                if header.count == 8 { try startChunk(totalSize: totalSize) }
            }
        }
    }

    /// Checks the last chunk against the size of the file.
    mutating func finish(byteCount: Int64) throws(ImageError) {
        guard claimedEnd <= byteCount || isDataChunk else { throw Self.beyondEnd }
    }

    private mutating func startChunk(totalSize: Int64?) throws(ImageError) {
        let length = Int64(header.bytes >> 32)
        let type = header.bytes & 0xFFFF_FFFF
        header = (0, 0)
        guard length <= Int64(Int32.max) else { throw Self.beyondEnd }
        isDataChunk = type == Self.idat
        claimedEnd = position + length + 4
        if let totalSize { try finish(byteCount: totalSize) }
        isComplete = type == Self.iend
        remaining = length + 4
    }

    private static let beyondEnd = ImageError(
        .corrupt,
        "A chunk of the PNG claims more bytes than the file has; upload the file again or save it anew."
    )
}
