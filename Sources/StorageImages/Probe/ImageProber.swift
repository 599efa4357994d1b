public import NIOCore
public import Storages

/// Finds out the size and kind of an image, and whether it is one.
///
/// A probe goes from cheap and safe to dear: the header is read in Swift, ``ImageGuard`` refuses what no decoder should
/// see, then libgd decodes the image off the threads of Swift's concurrency and within a memory budget of the process.
/// The numbers are the header's; libgd's verdict decides whether they are believed.
///
/// A prober is small, cheap to copy, and made once.
public struct ImageProber: Sendable {
    /// The kind of size that a probe reports.
    public enum SizeKind: Hashable, Sendable {
        /// The size as browsers show the image: a quarter turn from EXIF, `irot` or `imir` swaps the sides.
        case display
        /// The size as the pixels are stored.
        case coded
    }

    // One reference, so that an image that carries a prober stays small.
    private final class Settings: Sendable {
        let mode: Mode
        let limits: ImageLimits
        let sizeKind: SizeKind
        let decoder: ImageDecoder

        init(mode: Mode, limits: ImageLimits, sizeKind: SizeKind, decoder: ImageDecoder) {
            self.mode = mode
            self.limits = limits
            self.sizeKind = sizeKind
            self.decoder = decoder
        }
    }

    /// Verified, with the default limits and display sizes.
    public static let `default` = ImageProber()

    private let settings: Settings

    /// Creates a prober.
    ///
    /// - Parameters:
    ///   - mode: How thoroughly to look. Default ``Mode/verified``.
    ///   - limits: What is accepted, and up to how many pixels images are decoded.
    ///   - sizeKind: Which size to report. Default ``SizeKind/display``.
    ///   - decoder: The decoder, which bounds the memory and the threads. Default: that of the process.
    public init(
        mode: Mode = .verified,
        limits: ImageLimits = ImageLimits(),
        sizeKind: SizeKind = .display,
        decoder: ImageDecoder = .shared
    ) {
        settings = Settings(mode: mode, limits: limits, sizeKind: sizeKind, decoder: decoder)
    }

    /// The thoroughness of this prober.
    public var mode: Mode { settings.mode }
    /// The limits of what this prober accepts.
    public var limits: ImageLimits { settings.limits }
    /// The kind of size that this prober reports.
    public var sizeKind: SizeKind { settings.sizeKind }

    /// The decoder of this prober.
    public var decoder: ImageDecoder { settings.decoder }
    var identity: ObjectIdentifier { ObjectIdentifier(settings) }

    /// Probes a stored file.
    ///
    /// `.verified` opens the file once, for at most ``ImageLimits/maxFileBytes``, and goes on with the same stream from
    /// the header to the decode; a refused file is not read on. Only a header behind more than 1 MiB, which is rare and
    /// not worth the memory, makes it open the file a second time. `.headerOnly` reads windows of 64 KiB, nearly always
    /// one, and of 1 MiB from the fifth on.
    ///
    /// - Parameter file: The file.
    /// - Returns: What was found out.
    /// - Throws: ``ImageError``, with the file's name, when it is no image or not an acceptable one, or with code
    ///   ``ImageError/Code/busy``; ``StorageError`` when it cannot be read; `CancellationError`.
    public func probe(_ file: StorageFile) async throws -> ImageProbeResult {
        do {
            switch mode {
            case .verified: return try await probeVerified(file)
            case .headerOnly: return try await probeHeader(file)
            }
        } catch let error as ImageError {
            throw error.about(file.name.string)
        }
    }

    /// Probes bytes in memory.
    ///
    /// - Parameter bytes: The whole file.
    /// - Returns: What was found out.
    /// - Throws: ``ImageError`` when it is no image or not an acceptable one, or with code ``ImageError/Code/busy``;
    ///   `CancellationError`.
    public func probe(bytes: ByteBuffer) async throws -> ImageProbeResult {
        let found = try ImageGuard(limits: limits).check(bytes)
        guard mode == .verified, found.verdict == .decode,
            let admission = try await admit(found)
        else { return result(found.header, isVerified: false, isTruncated: found.isTruncated) }
        return try await verify(bytes, found, admission)
    }

    /// Probes a byte sequence in memory, as ``probe(bytes:)-(ByteBuffer)``.
    ///
    /// - Parameter bytes: The whole file; copied once.
    /// - Returns: What was found out.
    /// - Throws: As for a buffer.
    public func probe(bytes: some Collection<UInt8>) async throws -> ImageProbeResult {
        try await probe(bytes: ByteBuffer(bytes: bytes))
    }

    // MARK: Steps

    func admit(_ found: ImageScan.Result) async throws -> ImageDecoder.Admission? {
        try await decoder.admit(
            found.header,
            byteCount: found.byteCount,
            hasSeveralScans: found.hasSeveralScans
        )
    }

    func verify(
        _ bytes: ByteBuffer,
        _ found: ImageScan.Result,
        _ admission: ImageDecoder.Admission
    ) async throws -> ImageProbeResult {
        do {
            guard let decoded = try await decoder.decode(bytes, header: found.header, admission: admission) else {
                return result(found.header, isVerified: false, isTruncated: found.isTruncated)
            }
            let isTruncated = found.isTruncated || decoded.isTruncated
            return result(found.header, isVerified: true, isTruncated: isTruncated)
        } catch let error as ImageError where error.code == .corrupt && found.isTruncated {
            throw ImageError(
                .truncated,
                "The file ends before the image does. Upload the whole file.",
                underlying: error
            )
        }
    }

    func result(_ header: ImageHeader, isVerified: Bool, isTruncated: Bool) -> ImageProbeResult {
        ImageProbeResult(
            size: sizeKind == .display ? header.displaySize : header.codedSize,
            codedSize: header.codedSize,
            format: header.format,
            orientation: header.orientation,
            isVerified: isVerified,
            isTruncated: isTruncated
        )
    }
}
