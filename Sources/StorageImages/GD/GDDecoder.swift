package import NIOCore
import NIOPosix

/// Decodes images with libgd as the proof that they are images, on threads of its own and within bounded memory.
///
/// Decoding takes up to a second of a processor; it never runs on the threads of Swift's concurrency. Cancelling a
/// task cannot stop a decode that has begun, but one that waits.
package final class GDDecoder: Sendable {
    /// How much a decoder may use.
    package struct Configuration: Sendable {
        /// The bytes of memory of all decodes together.
        ///
        /// Default 256 MiB.
        package var memory: Int64 = 256 << 20
        /// The most jobs that wait; one more fails with ``ImageError/Code/busy``.
        ///
        /// Default 256.
        package var longestQueue = 256
        /// How long a job waits before it fails with ``ImageError/Code/busy``.
        ///
        /// Default 30 seconds.
        package var patience: Duration = .seconds(30)
        /// The number of threads.
        ///
        /// Default 2.
        package var threads = 2

        /// Creates a configuration with the defaults.
        package init() {}
    }

    /// What a decode showed.
    package struct Decoded: Hashable, Sendable {
        /// The size of the decoded pixel matrix.
        package var size: PixelSize
        /// Whether libjpeg ran out of bytes and made up the rest of the image.
        package var isTruncated: Bool
    }

    /// The right to decode one image: the memory that it takes, put aside.
    ///
    /// It goes back with the last reference.
    package struct Admission: Sendable {
        fileprivate let grant: DecodeBudget.Grant
        fileprivate let codec: GDImage.Codec
    }

    /// The decoder of the process.
    package static let shared = GDDecoder()

    private let budget: DecodeBudget
    private let pool: NIOThreadPool

    /// Creates a decoder with threads of its own.
    ///
    /// - Parameter configuration: How much it may use.
    package init(_ configuration: Configuration = Configuration()) {
        budget = DecodeBudget(
            total: configuration.memory,
            longestLine: configuration.longestQueue,
            patience: configuration.patience
        )
        pool = NIOThreadPool(numberOfThreads: configuration.threads)
        pool.start()
    }

    deinit {
        pool.shutdownGracefully { _ in }
    }

    /// The bytes of the budget that no image has now.
    package var freeMemory: Int64 { budget.free }

    /// The number of images that wait for memory now.
    package var waitingCount: Int { budget.waiting }

    /// Waits until an image may be decoded.
    ///
    /// Call this before the bytes are collected, as they are part of what it takes.
    ///
    /// - Parameters:
    ///   - header: The header, which ``ImageGuard`` has accepted with the verdict `.decode`.
    ///   - byteCount: The size of the file in bytes.
    /// - Returns: The admission; `nil` when libgd does not decode the format, or the image alone is over the budget.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/busy``; `CancellationError`.
    package func admit(_ header: ImageHeader, byteCount: Int64) async throws -> Admission? {
        guard let codec = GDImage.Codec(header.format) else { return nil }
        guard let grant = try await budget.acquire(Self.memory(for: header, byteCount: byteCount)) else { return nil }
        return Admission(grant: grant, codec: codec)
    }

    /// Decodes an image and lets go of it.
    ///
    /// - Parameters:
    ///   - file: The whole file.
    ///   - header: Its header.
    ///   - admission: From ``admit(_:byteCount:)`` for this image.
    /// - Returns: What the decode showed; `nil` when the image may be sound but cannot be decoded silently.
    /// - Throws: ``ImageError`` with code `.corrupt`, `.malformed` or `.truncated` when it does not decode, or to another
    ///   size than its header claims; `CancellationError` when cancelled before it began.
    package func decode(_ file: ByteBuffer, header: ImageHeader, admission: Admission) async throws -> Decoded? {
        try Task.checkCancellation()
        return try await pool.runIfActive {
            // Held until the image is gone, also when the caller has stopped waiting.
            try withExtendedLifetime(admission) {
                try Self.decode(file, header, admission.codec)
            }
        }
    }

    private static func decode(
        _ file: ByteBuffer,
        _ header: ImageHeader,
        _ codec: GDImage.Codec
    ) throws(ImageError) -> Decoded? {
        guard codec == .png else {
            let image = try GDImage(decoding: file, as: codec)
            let size = image.size
            let claimed = header.codedSize
            // libgd returns the first frame of a GIF; browsers show the screen that the header speaks of.
            let isRight = codec == .gif ? size.width <= claimed.width && size.height <= claimed.height : size == claimed
            guard isRight else { throw mismatch(size, claimed) }
            return Decoded(size: size, isTruncated: image.report.isPrematureEnd)
        }
        guard case .decode(let parts) = try PNGForDecoder.plan(file) else { return nil }
        for part in parts {
            let image = try GDImage(decoding: part.file, as: .png)
            guard image.size == part.size else { throw mismatch(image.size, part.size) }
        }
        return Decoded(size: header.codedSize, isTruncated: false)
    }

    /// A PNG is decoded from a copy without what libpng would complain about; interlaced ones are inflated besides.
    private static func memory(for header: ImageHeader, byteCount: Int64) -> Int64 {
        var memory = ImageGuard.decodeMemory(for: header, byteCount: byteCount)
        guard case .png(_, let isInterlaced, _) = header.details else { return memory }
        var extra = byteCount.multipliedReportingOverflow(by: 2).partialValue
        if isInterlaced {
            let bits = (header.bitsPerSample ?? 8) * (header.channels ?? 4)
            extra +=
                Int64(clamping: header.codedSize.pixelCount).multipliedReportingOverflow(by: Int64(bits)).partialValue
                / 4
        }
        let (sum, overflow) = memory.addingReportingOverflow(extra)
        memory = overflow || extra < 0 ? .max : sum
        return memory
    }

    private static func mismatch(_ decoded: PixelSize, _ claimed: PixelSize) -> ImageError {
        ImageError(
            .corrupt,
            "The image decodes to \(decoded) pixels although its header says \(claimed). Save the image anew."
        )
    }
}

extension GDImage.Codec {
    /// The codec of a format that libgd decodes in this process.
    init?(_ format: ImageFormat) {
        switch format {
        case .jpeg: self = .jpeg
        case .png: self = .png
        case .gif: self = .gif
        case .webp: self = .webp
        case .bmp: self = .bmp
        case .tiff, .avif, .heic, .ico, .cur, .psd: return nil
        }
    }
}
