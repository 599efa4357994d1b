public import NIOCore
import Storages

/// Checks the bytes of one image while they stream by: header, limits and structure, in constant memory.
///
/// Feed the chunks of any size in order, then call ``finish()``. A bad image is refused by the first chunk that shows
/// it: the wrong type by the first 18 bytes, too many pixels as soon as the header is complete, a claim that only the
/// size of the file disproves at the end (or at once, when `totalSize` is known beforehand).
///
/// The scan holds no more than some hundred bytes, whatever the size of the file. After an error every call throws it
/// again.
public struct ImageScan: Sendable {
    /// The result of scanning a whole file.
    public struct Result: Hashable, Sendable {
        /// The header; for a GIF with ``ImageHeader/isAnimated`` set by the number of frames.
        public let header: ImageHeader
        /// The permitted use of the image.
        public let verdict: ImageGuard.Verdict
        /// The size of the file in bytes.
        public let byteCount: Int64
        /// A Boolean value that indicates whether the file ends before the image's own end mark.
        ///
        /// That is EOI of JPEG, IEND of PNG, the trailer of GIF, the length at the beginning of a WebP, the rows of an
        /// uncompressed BMP. Browsers show such files in part; libgd accepts cut off JPEGs and GIFs.
        public let isTruncated: Bool
        /// A Boolean value that indicates whether the pixels come in several scans, as in
        /// ``ImageScan/hasSeveralScans``; `true` for a JPEG without any.
        public let hasSeveralScans: Bool
    }

    private enum Structure {
        case jpeg(JPEGScanCounter), png(PNGChunkWalker), gif(GIFBlockWalker), none
    }

    private let checker: ImageGuard
    private let totalSize: Int64?
    private var parser = ImageHeaderParser()
    private var structure = Structure.none
    /// The first bytes, until they suffice to recognise the format.
    private var prefix: [UInt8] = []
    private var isRecognised = false
    private var webpEnd: Int64 = 0
    private var failure: ImageError?
    private var headerOffset: Int64 = 0

    /// The number of bytes consumed so far.
    public private(set) var byteCount: Int64 = 0

    /// The header, as soon as it is known; it then has passed the checks that need no more than the header.
    public private(set) var header: ImageHeader?

    /// A Boolean value that indicates whether the pixels come in several scans, so that a decoder keeps coefficients;
    /// `nil` while that is not known.
    ///
    /// Only a JPEG can have several. It is known when the header is, except for a JPEG that is not progressive: there
    /// the first scan tells, which follows the header closely.
    public var hasSeveralScans: Bool? {
        guard let header else { return nil }
        guard case .jpeg(let counter) = structure else { return false }
        if header.isProgressive { return true }
        return counter.firstScanComponents.map { $0 < header.channels ?? 0 }
    }

    /// The distance in bytes from the end of the bytes consumed to the next ones of the header; 0 when they follow at
    /// once.
    var distanceToHeader: Int64 { max(0, headerOffset - byteCount) }

    /// Creates a scan for one file.
    ///
    /// - Parameters:
    ///   - limits: What is allowed.
    ///   - totalSize: The size of the file in bytes, if it is known beforehand.
    public init(limits: ImageLimits = ImageLimits(), totalSize: Int64? = nil) {
        checker = ImageGuard(limits: limits)
        self.totalSize = totalSize
    }

    /// Looks at the next bytes of the file.
    ///
    /// - Parameter bytes: The bytes; the buffer's reader index does not matter beyond this call.
    /// - Throws: As `consume` over a span.
    public mutating func consume(_ bytes: ByteBuffer) throws(ImageError) {
        try consume(bytes.readableBytesUInt8Span)
    }

    /// Looks at the next bytes of the file.
    ///
    /// - Parameter bytes: The bytes, any number of them.
    /// - Throws: All that ``ImageHeaderParser`` and ``ImageGuard`` throw, `.tooManyScans` for more scans of a JPEG than
    ///   allowed, and `.corrupt` for a chunk of a PNG that is longer than the file.
    /// - Complexity: O(bytes) for JPEG, less for the others.
    public mutating func consume(_ bytes: Span<UInt8>) throws(ImageError) {
        if let failure { throw failure }
        do throws(ImageError) {
            try advance(bytes)
        } catch {
            failure = error
            throw error
        }
    }

    /// Ends the scan, because the file has no more bytes, and judges the file as a whole.
    ///
    /// - Returns: Header and verdict.
    /// - Throws: As `consume`; `.truncated` when the header is not complete; `.corrupt` when so few bytes cannot hold
    ///   so many pixels.
    public mutating func finish() throws(ImageError) -> Result {
        if let failure { throw failure }
        do throws(ImageError) {
            return try conclude()
        } catch {
            failure = error
            throw error
        }
    }

    private mutating func advance(_ bytes: Span<UInt8>) throws(ImageError) {
        guard !isRecognised else { return try process(bytes) }
        let missing = min(ImageType.signatureLength - prefix.count, bytes.count)
        for index in 0..<missing { prefix.append(bytes[index]) }
        guard prefix.count == ImageType.signatureLength else { return }
        try processPrefix()
        // The usual first chunk is much larger than the prefix: its rest follows without a copy.
        try process(bytes.extracting(missing..<bytes.count))
    }

    private mutating func processPrefix() throws(ImageError) {
        isRecognised = true
        let first = prefix
        prefix = []
        switch ImageType.match(first.span) {
        case .type(.jpeg): structure = .jpeg(JPEGScanCounter())
        case .type(.png): structure = .png(PNGChunkWalker())
        case .type(.gif): structure = .gif(GIFBlockWalker())
        case .type(.webp): webpEnd = 8 + Int64(first.span.little32(4))
        default: break
        }
        try process(first.span)
    }

    private mutating func process(_ bytes: Span<UInt8>) throws(ImageError) {
        let offset = byteCount
        byteCount += Int64(bytes.count)
        guard byteCount <= checker.limits.maxFileBytes else { throw checker.tooManyBytes }
        if header == nil {
            switch try parser.parse(bytes, at: offset, totalSize: totalSize) {
            case .header(let found):
                _ = try checker.check(found)
                header = found
            case .needsMore(let next, _):
                headerOffset = next
            }
        }
        switch structure {
        case .jpeg(var counter):
            try counter.consume(bytes, limit: checker.limits.maxJPEGScans)
            structure = .jpeg(counter)
        case .png(var walker):
            try walker.consume(bytes, totalSize: totalSize)
            structure = .png(walker)
        case .gif(var walker):
            walker.consume(bytes)
            structure = .gif(walker)
        case .none:
            break
        }
    }

    private mutating func conclude() throws(ImageError) -> Result {
        if !isRecognised { try processPrefix() }
        var found: ImageHeader
        if let header {
            found = header
        } else {
            found = try parser.finish(totalSize: byteCount)
        }
        let verdict = try checker.check(found, byteCount: byteCount)
        let isComplete: Bool
        switch structure {
        case .jpeg(let counter):
            isComplete = counter.isComplete
        case .png(var walker):
            try walker.finish(byteCount: byteCount)
            isComplete = walker.isComplete
        case .gif(let walker):
            found.isAnimated = walker.frames > 1
            isComplete = walker.isComplete
        case .none:
            isComplete = webpEnd <= byteCount && ImageGuard.hasAllRows(found, byteCount: byteCount)
        }
        header = found
        return Result(
            header: found,
            verdict: verdict,
            byteCount: byteCount,
            isTruncated: !isComplete,
            hasSeveralScans: hasSeveralScans ?? true
        )
    }
}
