import NIOConcurrencyHelpers
public import NIOCore

/// Watches the bytes of an upload and says whether they are an acceptable image.
///
/// ```swift
/// let inspector = ImageUploadInspector()
/// options.tap = { try inspector.consume($0) }
/// let uploaded = try await storage.upload(body, to: name, options: options)
/// let image = try await inspector.finish(byteCount: uploaded.byteCount)
/// ```
/// What the first bytes show ends the upload with the first chunk: the wrong type, too many pixels. The bytes are kept
/// for libgd up to a bound, per upload and over all uploads of the process; a larger image is taken by its header.
public final class ImageUploadInspector: Sendable {
    fileprivate struct State {
        var scan: ImageScan
        var kept = ByteBuffer()
        var share: RetainedBytes.Share?
        var isKeeping: Bool
    }

    private let prober: ImageProber
    private let maxRetained: Int
    private let retained: RetainedBytes
    private let state: NIOLockedValueBox<State>

    /// Creates an inspector for one upload.
    ///
    /// - Parameters:
    ///   - prober: What is accepted, and how thoroughly to look. Default: verified, default limits.
    ///   - maxRetained: The most bytes of this upload to keep for libgd. Default 64 MiB, which is also what all uploads
    ///     of the process may keep together.
    public convenience init(prober: ImageProber = .default, maxRetained: Int = 64 << 20) {
        self.init(prober: prober, maxRetained: maxRetained, retained: .shared)
    }

    init(prober: ImageProber, maxRetained: Int, retained: RetainedBytes) {
        self.prober = prober
        self.maxRetained = maxRetained
        self.retained = retained
        state = NIOLockedValueBox(
            State(scan: ImageScan(limits: prober.limits), isKeeping: prober.mode == .verified)
        )
    }

    /// Looks at the next chunk of the upload.
    ///
    /// - Parameter chunk: The bytes, in order.
    /// - Throws: ``ImageError`` as soon as it is clear that the image is refused; every later call throws it again.
    /// - Complexity: O(n) in the size of the chunk.
    public func consume(_ chunk: ByteBuffer) throws {
        try state.withLockedValue { state in
            try state.scan.consume(chunk)
            guard state.isKeeping else { return }
            if let header = state.scan.header, try ImageGuard(limits: prober.limits).check(header) != .decode {
                return state.drop()
            }
            guard state.kept.readableBytes + chunk.readableBytes <= maxRetained else { return state.drop() }
            let share = state.share ?? retained.share()
            state.share = share
            guard share.grow(by: chunk.readableBytes) else { return state.drop() }
            state.kept.writeImmutableBuffer(chunk)
        }
    }

    /// Judges the image after the last chunk.
    ///
    /// - Parameter byteCount: The size of the upload in bytes, as the storage counted it.
    /// - Returns: What was found out; `isVerified` is `false` when the bytes could not be kept, or not be decoded.
    /// - Throws: ``ImageError`` when it is no image or not an acceptable one, with code ``ImageError/Code/corrupt``
    ///   also when not all bytes passed by, or with code ``ImageError/Code/busy``; `CancellationError`.
    public func finish(byteCount: Int64) async throws -> ImageProbeResult {
        let (found, kept, share) = try state.withLockedValue { state in
            let found = try state.scan.finish()
            let kept: ByteBuffer? = state.isKeeping ? state.kept : nil
            let share = state.share
            state.drop()
            return (found, kept, share)
        }
        guard found.byteCount == byteCount else {
            throw ImageError(
                .corrupt,
                "\(byteCount) bytes were stored, but \(found.byteCount) were seen. Upload the file again."
            )
        }
        // The share is held until the decode is over: the bytes are.
        return try await withExtendedShare(share) {
            guard let kept, found.verdict == .decode,
                let admission = try await prober.admit(found)
            else { return prober.result(found.header, isVerified: false, isTruncated: found.isTruncated) }
            return try await prober.verify(kept, found, admission)
        }
    }

    private func withExtendedShare<Result>(
        _ share: RetainedBytes.Share?,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let result: Result
        do {
            result = try await body()
        } catch {
            withExtendedLifetime(share) {}
            throw error
        }
        withExtendedLifetime(share) {}
        return result
    }
}

extension ImageUploadInspector.State {
    mutating func drop() {
        isKeeping = false
        kept = ByteBuffer()
        share = nil
    }
}
