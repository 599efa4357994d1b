/// The reason why a reader of one format stopped before it had the header.
enum HeaderStop: Error {
    /// At least `length` bytes from `offset` on are needed.
    case more(offset: Int64, length: Int)
    /// The bytes cannot become a header.
    case fail(ImageError.Code, String)
}

/// Gives the readers of the formats bounded access to the current window of a file.
///
/// A reader asks for a few bytes at a file offset and gets their index in the window; the bytes themselves it takes
/// from the window. Offsets only ever grow, which is what makes streams and ranged reads the same thing to a reader.
struct HeaderReader {
    /// The offset in the file of the window's first byte.
    var base: Int64 = 0

    /// The size of the file, when it is known.
    var total: Int64?

    /// The number of bytes that were read.
    private(set) var bytesRead = 0

    private var readCount = 0

    /// The largest number of reads: no header needs more, and a file that does was made to waste time.
    private static let maxReads = 20_000

    /// The offset up to which a chain of segments or chunks is followed.
    ///
    /// By offset, not by reads, so that a stream and ranged reads, and
    /// so an upload and a later probe, give up at the same place.
    static let longestChain: Int64 = 8 << 20

    /// The largest offset: larger ones cannot be those of a file, and below it the sum of two offsets does not
    /// overflow.
    static let maxOffset = Int64(1) << 61

    /// Finds `count` bytes at `offset` and counts them as read.
    ///
    /// - Returns: The index of the first of them in the window.
    mutating func take(_ count: Int, at offset: Int64, in window: Span<UInt8>) throws(HeaderStop) -> Int {
        let index = try peek(count, at: offset, in: window)
        bytesRead += count
        return index
    }

    /// Finds `count` bytes at `offset` which will be taken, or counted with ``count(_:)``, later.
    mutating func peek(_ count: Int, at offset: Int64, in window: Span<UInt8>) throws(HeaderStop) -> Int {
        readCount += 1
        guard readCount <= Self.maxReads else {
            throw .fail(.headerNotFound, "The image header is spread over too many pieces.")
        }
        guard offset >= 0, offset <= Self.maxOffset else {
            throw .fail(.malformed, "The image header points to an offset that no file has.")
        }
        let index = offset - base
        if index >= 0, index + Int64(count) <= Int64(window.count) {
            return Int(index)
        }
        if let total, offset + Int64(count) > total {
            throw .fail(.truncated, "The file ends inside its image header; upload it again.")
        }
        throw .more(offset: offset, length: count)
    }

    /// Counts bytes that were looked at without ``take(_:at:in:)``.
    mutating func count(_ bytes: Int) {
        bytesRead += bytes
    }
}

extension Span<UInt8> {
    /// The two bytes at an index as a big-endian number.
    func big16(_ index: Int) -> Int {
        Int(self[index]) << 8 | Int(self[index + 1])
    }

    /// The four bytes at an index as a big-endian number.
    func big32(_ index: Int) -> Int {
        big16(index) << 16 | big16(index + 2)
    }

    /// The two bytes at an index as a little-endian number.
    func little16(_ index: Int) -> Int {
        Int(self[index]) | Int(self[index + 1]) << 8
    }

    /// The three bytes at an index as a little-endian number.
    func little24(_ index: Int) -> Int {
        little16(index) | Int(self[index + 2]) << 16
    }

    /// The four bytes at an index as a little-endian number.
    func little32(_ index: Int) -> Int {
        little16(index) | little16(index + 2) << 16
    }

    /// The eight bytes at an index as a big-endian number.
    func big64(_ index: Int) -> UInt64 {
        UInt64(big32(index)) << 32 | UInt64(big32(index + 4))
    }

    /// The eight bytes at an index as a little-endian number.
    func little64(_ index: Int) -> UInt64 {
        UInt64(little32(index)) | UInt64(little32(index + 4)) << 32
    }
}
