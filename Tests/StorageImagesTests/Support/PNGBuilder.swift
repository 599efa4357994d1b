import NIOCore

@testable import StorageImages

/// Writes PNGs, right and wrong ones, with the pixels stored without compression.
struct PNGBuilder {
    var width = 64
    var height = 64
    var isInterlaced = false
    var colorType: UInt8 = 0
    var bitDepth: UInt8 = 8
    /// Chunks between IHDR and IDAT.
    var before: [(String, [UInt8])] = []
    /// Bytes of rows beyond the last.
    var surplus = 0
    /// Blocks of deflate before those of the rows; must end with a whole byte.
    var leading: [UInt8] = []
    /// A Boolean value that indicates whether there are rows at all.
    var hasRows = true
    /// Bytes behind the zlib stream.
    var trailing: [UInt8] = []
    var hasWrongAdler = false
    var hasWrongCRC = false
    /// The sizes of the IDAT chunks but the last, counted from the end of the stream.
    var splitsFromEnd: [Int] = []
    /// Empty stored blocks between the last pixel and the end.
    var emptyBlocks = 0
    var hasEnd = true

    func bytes(pixel: UInt8 = 0) -> [UInt8] {
        let rows = rowBytes(pixel) + [UInt8](repeating: 0, count: surplus)
        var stream: [UInt8] = [0x78, 0x01] + leading
        for start in stride(from: 0, to: rows.count, by: 65535) {
            let block = rows[start..<min(start + 65535, rows.count)]
            stream += Self.stored(Array(block), isLast: block.endIndex == rows.count && emptyBlocks == 0)
        }
        for index in 0..<emptyBlocks { stream += Self.stored([], isLast: index == emptyBlocks - 1) }
        let adler = rows.withUnsafeBytes { Adler32.checksum($0) } &+ (hasWrongAdler ? 1 : 0)
        stream += Self.bigEndian(adler) + trailing

        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        let header = Self.bigEndian(UInt32(width)) + Self.bigEndian(UInt32(height))
        file += Self.chunk("IHDR", header + [bitDepth, colorType, 0, 0, isInterlaced ? 1 : 0])
        for (name, body) in before { file += Self.chunk(name, body) }
        var start = 0
        for split in splitsFromEnd.map({ max(0, stream.count - $0) }) {
            file += Self.chunk("IDAT", Array(stream[start..<split]))
            start = split
        }
        file += Self.chunk("IDAT", Array(stream[start...]), isWrong: hasWrongCRC)
        if hasEnd { file += Self.chunk("IEND", []) }
        return file
    }

    private func rowBytes(_ pixel: UInt8) -> [UInt8] {
        guard hasRows else { return [0] }
        let passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        let sizes =
            isInterlaced
            ? passes.map { ((width - $0.0 + $0.2 - 1) / $0.2, (height - $0.1 + $0.3 - 1) / $0.3) } : [(width, height)]
        return sizes.filter { $0.0 > 0 && $0.1 > 0 }.flatMap { width, height in
            (0..<height).flatMap { _ in [0] + [UInt8](repeating: pixel, count: (width * Int(bitDepth) + 7) / 8) }
        }
    }

    static func stored(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        let count = UInt16(bytes.count)
        return [isLast ? 1 : 0, UInt8(count & 255), UInt8(count >> 8), UInt8(~count & 255), UInt8(~count >> 8)] + bytes
    }

    static func chunk(_ name: String, _ body: [UInt8], isWrong: Bool = false) -> [UInt8] {
        let covered = Array(name.utf8) + body
        let crc = covered.withUnsafeBytes { CRC32.checksum($0) } ^ (isWrong ? 1 : 0)
        return bigEndian(UInt32(body.count)) + covered + bigEndian(crc)
    }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }
}
