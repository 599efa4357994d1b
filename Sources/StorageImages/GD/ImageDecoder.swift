import NIOConcurrencyHelpers
package import NIOCore
import NIOPosix
import Platform
import Storages

/// Decodes images with libgd as the proof that they are images, on threads of its own and within bounded memory.
///
/// Decoding takes up to a second of a processor; it never runs on the threads of Swift's concurrency. Cancelling a
/// task cannot stop a decode that has begun, but one that waits.
///
/// All probers use ``shared`` unless they are given another one. An application that needs other bounds makes one
/// decoder and gives it to its probers; two decoders have two budgets of memory.
///
/// ```swift
/// var configuration = ImageDecoder.Configuration()
/// configuration.memory = 1 << 30
/// configuration.threads = 4
/// let prober = ImageProber(decoder: try ImageDecoder(configuration))
/// ```
public final class ImageDecoder: Sendable {
    /// The result of a decode.
    package struct Decoded: Hashable, Sendable {
        /// The size of the decoded pixel matrix.
        package var size: PixelSize
        /// A Boolean value that indicates whether libjpeg ran out of bytes and made up the rest of the image.
        package var isTruncated: Bool
    }

    /// The right to decode one image: the memory that it takes, put aside.
    ///
    /// It goes back with the last reference.
    package struct Admission: Sendable {
        fileprivate let memory: AsyncSemaphore.Permit
        fileprivate let codec: GDImage.Codec
    }

    /// The decoder of the process, with the default configuration.
    public static let shared = ImageDecoder()

    /// The memory of all decodes together.
    private let budget: AsyncSemaphore
    /// Slots in the pool, on a thread or waiting for one: the pool itself has no bound.
    ///
    /// Jobs wait there and not in a line of their own, so that a thread that becomes free finds the next one without
    /// the help of Swift's concurrency, whose threads may be busy.
    private let jobSlots: AsyncSemaphore
    private let threads: Int
    private let waitTimeout: Duration
    private let pool: NIOThreadPool
    private let willDecode: (@Sendable () -> Void)?

    /// Creates a decoder with threads of its own.
    ///
    /// - Parameter configuration: The resources that it may use.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/invalidConfiguration`` for a value that makes no sense; the
    ///   message names it.
    public convenience init(_ configuration: Configuration) throws(ImageError) {
        try configuration.validate()
        self.init(validated: configuration)
    }

    /// Creates a decoder with threads of its own and the default configuration.
    package convenience init() {
        self.init(validated: Configuration())
    }

    private init(validated configuration: Configuration) {
        let maxWaiting = configuration.maxWaiting
        waitTimeout = configuration.waitTimeout
        threads = configuration.threads
        budget = AsyncSemaphore(capacity: Int(clamping: configuration.memory), maxWaiters: maxWaiting)
        jobSlots = AsyncSemaphore(capacity: maxWaiting + threads, maxWaiters: 0)
        willDecode = configuration.willDecode
        pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
    }

    deinit {
        pool.shutdownGracefully { _ in }
    }

    /// The bytes of the budget that no image has now.
    package var freeMemory: Int64 { Int64(budget.free) }

    /// The number of images that wait for memory now.
    package var waitingCount: Int { budget.waiterCount }

    /// The number of images that have their memory and wait for a thread now.
    package var queuedCount: Int { max(0, jobSlots.inUse - threads) }

    /// Waits until an image may be decoded.
    ///
    /// Call this before the bytes are collected, as they are part of what it takes.
    ///
    /// - Parameters:
    ///   - header: The header, which ``ImageGuard`` has accepted with the verdict `.decode`.
    ///   - byteCount: The size of the file in bytes.
    ///   - hasSeveralScans: Whether a JPEG is made of several scans. Default `true`, which is the most.
    /// - Returns: The admission; `nil` when libgd does not decode the format, or the image alone is over the budget.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/busy``; `CancellationError`.
    package func admit(
        _ header: ImageHeader,
        byteCount: Int64,
        hasSeveralScans: Bool = true
    ) async throws -> Admission? {
        guard let codec = GDImage.Codec(header.format) else { return nil }
        let memory = Self.memory(for: header, byteCount: byteCount, hasSeveralScans: hasSeveralScans)
        guard memory <= Int64(budget.capacity) else { return nil }
        return Admission(memory: try await permit(of: budget, weight: Int(clamping: memory)), codec: codec)
    }

    /// Waits for a permit; the error has the code `busy` when too many wait, or the wait takes too long.
    private func permit(of semaphore: AsyncSemaphore, weight: Int) async throws -> AsyncSemaphore.Permit {
        do {
            return try await semaphore.acquire(weight: weight, within: waitTimeout)
        } catch let error as AsyncSemaphore.WaitError {
            throw ImageError(error)
        }
    }

    /// Decodes an image and lets go of it.
    ///
    /// - Parameters:
    ///   - file: The whole file.
    ///   - header: Its header.
    ///   - admission: From ``admit(_:byteCount:hasSeveralScans:)`` for this image.
    /// - Returns: What the decode showed; `nil` when the image may be sound but cannot be decoded silently.
    /// - Throws: ``ImageError`` with code `.corrupt`, `.malformed` or `.truncated` when it does not decode, or to
    ///   another size than its header claims; ``ImageError/Code/busy`` when no thread became free in time or the
    ///   machine has no memory; `CancellationError` when cancelled before it began.
    package func decode(_ file: ByteBuffer, header: ImageHeader, admission: Admission) async throws -> Decoded? {
        let slot = try await permit(of: jobSlots, weight: 1)
        let job = Task { [pool, willDecode] in
            try await BlockingPool.run(on: pool) {
                // Held until the image is gone.
                try withExtendedLifetime((slot, admission)) {
                    willDecode?()
                    return try Self.decode(file, header, admission.codec, memory: Int64(admission.memory.weight))
                }
            }
        }
        let isLate = NIOLockedValueBox(false)
        let timer = Task { [waitTimeout] in
            guard (try? await Task.sleep(for: waitTimeout)) != nil else { return }
            isLate.withLockedValue { $0 = true }
            // Ends the wait for a thread; a decode that has begun goes on.
            job.cancel()
        }
        defer { timer.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await job.value
            } onCancel: {
                job.cancel()
            }
        } catch is CancellationError where isLate.withLockedValue({ $0 }) && !Task.isCancelled {
            throw ImageError(AsyncSemaphore.WaitError.timedOut)
        }
    }

    /// Decodes on the calling thread, with `memory` bytes put aside.
    static func decode(
        _ file: ByteBuffer,
        _ header: ImageHeader,
        _ codec: GDImage.Codec,
        memory: Int64
    ) throws(ImageError) -> Decoded? {
        do throws(ImageError) {
            return try decode(file, header, codec)
        } catch {
            // libgd answers alike when the bytes are bad and when the machine has no memory. Bytes are to blame only
            // when there is as much memory as they could have needed.
            guard error.code != .corrupt || GDImage.canAllocate(memory) else {
                throw ImageError(
                    .busy,
                    "The machine has no memory left to decode the image. Try again later.",
                    underlying: error
                )
            }
            throw error
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
            guard isRight else { throw mismatch(decoded: size, claimed: claimed) }
            return Decoded(size: size, isTruncated: image.report.isPrematureEnd)
        }
        guard case .decode(let parts) = try PNGForDecoder.plan(file) else { return nil }
        for part in parts {
            let image = try GDImage(decoding: part.file, as: .png)
            guard image.size == part.size else { throw mismatch(decoded: image.size, claimed: part.size) }
        }
        return Decoded(size: header.codedSize, isTruncated: false)
    }

    /// A PNG is decoded from a copy without what libpng would complain about; interlaced ones are inflated besides.
    private static func memory(for header: ImageHeader, byteCount: Int64, hasSeveralScans: Bool) -> Int64 {
        var memory = ImageGuard.decodeMemory(for: header, byteCount: byteCount, hasSeveralScans: hasSeveralScans)
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

    private static func mismatch(decoded: PixelSize, claimed: PixelSize) -> ImageError {
        ImageError(
            .corrupt,
            "The image decodes to \(decoded) pixels although its header says \(claimed). Save the image anew."
        )
    }
}

extension ImageError {
    /// Creates the error of an image that is not decoded because others are.
    fileprivate init(_ error: AsyncSemaphore.WaitError) {
        let reason =
            switch error {
            case .timedOut: "Images have been waiting too long to be decoded"
            case .tooManyWaiters: "Too many images are waiting to be decoded"
            }
        self.init(.busy, "\(reason). Try again later, or look at headers only (ImageProbe.headerOnly).")
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
        case .tiff, .avif, .heic, .heif, .ico, .cur, .psd: return nil
        }
    }
}
