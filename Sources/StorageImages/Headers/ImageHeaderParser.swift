public import NIOCore
import Storages

/// Reads the header of an image out of windows of its bytes, and says which bytes it needs next.
///
/// Feed it either of two ways, with equal results:
/// - *ranged reads*: read ``windowSize`` bytes at 0, then at every offset the parser asks for;
/// - *a stream*: hand over the chunks of any size in order, whatever the parser asks for, and call
///   ``finish(totalSize:)`` if the stream ends before the header is complete.
///
/// The parser never asks for an earlier byte than the last one it asked for, keeps at most some hundred bytes between
/// two calls, and bounds everything that a hostile file could make long: 32 ranged reads, 8 MiB of looked-at bytes,
/// chains of segments or chunks up to an offset of 8 MiB, 20,000 reads of a field, 4096 entries of a TIFF directory,
/// 1000 boxes of an AVIF. It has no unsafe code: no bytes make it crash.
///
/// - Complexity: O(header length), not O(file size): segments and chunks are skipped, not read.
public struct ImageHeaderParser: Sendable {
    /// The result of a call to `parse`.
    public enum Step: Hashable, Sendable {
        /// The header is complete.
        case header(ImageHeader)
        /// The parser needs at least `length` bytes from `offset` on; more are welcome, ``windowSize`` is a good size.
        case needsMore(offset: Int64, length: Int)
    }

    /// The number of bytes to read at a time: 65,536, which suffices for 97 % of the JPEGs in one read.
    public static let windowSize = 65_536

    private static let maxRequests = 32
    private static let maxBytes: Int64 = 8 << 20
    /// The part of a larger window that counts against `maxBytes`, so that a file in one piece is never too large.
    private static let countedWindow: Int64 = 256 << 10

    /// The kind of header that the first bytes announce.
    private enum Layout {
        case format(ImageFormat)
        /// The format is told by the brands, which are read with the rest of the header.
        case isoMedia
    }

    private var reader = HeaderReader()
    private var layout: Layout?
    private var jpeg = JPEGHeaderReader()
    private var png = PNGHeaderReader()
    private var tiff = TIFFDirectory(base: 0)
    private var icon = IconHeaderReader()
    private var heif = HEIFHeaderReader()

    /// Bytes from `wanted` on that were seen but were too few.
    private var carry: [UInt8] = []
    private var wanted: Int64 = 0
    private var wantedLength = ImageType.signatureLength
    private var lastEnd: Int64 = 0
    private var requests = 1
    private var spent: Int64 = 0
    private var outcome: Result<ImageHeader, ImageError>?

    /// Creates a parser for one file.
    public init() {}

    /// Looks at some bytes of the file.
    ///
    /// - Parameters:
    ///   - window: The bytes. Bytes that were not asked for are skipped without cost.
    ///   - offset: Where in the file they begin, in bytes.
    ///   - totalSize: The size of the file in bytes; `nil` when it is not known, as in a stream.
    /// - Returns: The header, or what is needed next. After the header every call returns it again.
    /// - Throws: `.notAnImage` when the bytes are no image; `.malformed`, `.corrupt` or `.truncated` when the header is
    ///   broken; `.headerNotFound` when it lies behind more bytes or reads than the bounds allow. After an error every
    ///   call throws it again.
    public mutating func parse(_ window: Span<UInt8>, at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        if let outcome { return .header(try outcome.get()) }
        if let totalSize { reader.total = totalSize }
        guard offset >= 0, offset < HeaderReader.maxOffset else {
            return .needsMore(offset: wanted, length: wantedLength)
        }
        let end = offset + Int64(window.count)
        if offset != lastEnd { requests += 1 }
        lastEnd = end
        if requests > Self.maxRequests { throw fail(Self.tooFar) }
        let carryEnd = wanted + Int64(carry.count)
        let endsEarly = reader.total.map { wanted + Int64(wantedLength) > $0 } ?? false
        guard end > carryEnd || endsEarly else { return .needsMore(offset: wanted, length: wantedLength) }
        if offset <= wanted {
            return try run(window, at: offset)
        }
        guard offset <= carryEnd else { return .needsMore(offset: wanted, length: wantedLength) }
        var joined = carry
        joined.reserveCapacity(carry.count + window.count)
        for index in Int(carryEnd - offset)..<window.count { joined.append(window[index]) }
        return try run(joined.span, at: wanted)
    }

    /// Looks at the readable bytes of a buffer as some bytes of the file.
    ///
    /// The same as `parse` over a span, without a copy.
    ///
    /// - Parameters:
    ///   - window: The bytes.
    ///   - offset: Where in the file they begin, in bytes.
    ///   - totalSize: The size of the file in bytes; `nil` when it is not known.
    /// - Returns: The header, or what is needed next.
    /// - Throws: As `parse` over a span.
    public mutating func parse(_ window: ByteBuffer, at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        try parse(window.readableBytesUInt8Span, at: offset, totalSize: totalSize)
    }

    /// Looks at the elements of an array as some bytes of the file.
    ///
    /// The same as `parse` over a span, without a copy.
    ///
    /// - Parameters:
    ///   - window: The bytes.
    ///   - offset: Where in the file they begin, in bytes.
    ///   - totalSize: The size of the file in bytes; `nil` when it is not known.
    /// - Returns: The header, or what is needed next.
    /// - Throws: As `parse` over a span.
    public mutating func parse(_ window: [UInt8], at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        try parse(window.span, at: offset, totalSize: totalSize)
    }

    /// Ends the parsing, because the file has no more bytes than those seen.
    ///
    /// - Parameter totalSize: The size of the file in bytes.
    /// - Returns: The header, when the bytes seen suffice for it.
    /// - Throws: As `parse`; `.truncated` when the file ends inside its header.
    public mutating func finish(totalSize: Int64) throws(ImageError) -> ImageHeader {
        if let outcome { return try outcome.get() }
        reader.total = totalSize
        let rest = carry
        if case .header(let header) = try run(rest.span, at: wanted) { return header }
        throw fail(ImageError(.truncated, "The bytes end before the image header does."))
    }

    private static let tooFar = ImageError(
        .headerNotFound,
        "The image header lies behind more data than is searched for it; save the image again without embedded data."
    )

    private mutating func fail(_ error: ImageError) -> ImageError {
        outcome = .failure(error)
        carry = []
        return error
    }

    private mutating func run(_ window: Span<UInt8>, at base: Int64) throws(ImageError) -> Step {
        reader.base = base
        do throws(HeaderStop) {
            let header = try readHeader(window)
            outcome = .success(header)
            carry = []
            return .header(header)
        } catch {
            switch error {
            case .fail(let code, let message):
                throw fail(ImageError(code, message))
            case .more(let offset, let length):
                return try wait(for: length, at: offset, window, base: base)
            }
        }
    }

    /// Keeps what the window has of the bytes that are too few, and accounts for what it cost.
    private mutating func wait(
        for length: Int,
        at offset: Int64,
        _ window: Span<UInt8>,
        base: Int64
    ) throws(ImageError) -> Step {
        let end = base + Int64(window.count)
        spent += min(Self.countedWindow, max(0, min(end, offset) - max(base, wanted)))
        guard spent <= Self.maxBytes, requests < Self.maxRequests else { throw fail(Self.tooFar) }
        carry.removeAll(keepingCapacity: true)
        if offset < end, offset >= base {
            for index in Int(offset - base)..<window.count { carry.append(window[index]) }
        }
        wanted = offset
        wantedLength = length
        return .needsMore(offset: offset, length: length)
    }

    private mutating func readHeader(_ window: Span<UInt8>) throws(HeaderStop) -> ImageHeader {
        if layout == nil { layout = try recognise(window) }
        guard case .format(let format) = layout else { return try heif.run(&reader, window) }
        switch format {
        case .jpeg: return try jpeg.run(&reader, window)
        case .png: return try png.run(&reader, window)
        case .gif: return try FixedHeaderReaders.gif(&reader, window)
        case .webp: return try FixedHeaderReaders.webp(&reader, window)
        case .bmp: return try FixedHeaderReaders.bmp(&reader, window)
        case .tiff: return try tiff.header(&reader, window)
        case .avif, .heic, .heif: return try heif.run(&reader, window)
        case .ico: return try icon.run(.ico, &reader, window)
        case .cur: return try icon.run(.cur, &reader, window)
        case .psd: return try FixedHeaderReaders.psd(&reader, window)
        }
    }

    private mutating func recognise(_ window: Span<UInt8>) throws(HeaderStop) -> Layout {
        let count = Int(min(reader.total ?? .max, Int64(ImageType.signatureLength)))
        let index = try reader.peek(count, at: 0, in: window)
        let head = window.extracting(index..<index + count)
        switch ImageType.match(head) {
        case .isoMedia: return .isoMedia
        case .type(let type):
            if let format = ImageFormat(type) { return .format(format) }
        case nil: break
        }
        throw ImageRejection.error(for: head)
    }
}
