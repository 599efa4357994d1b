public import Storages

/// An image in a storage: a file that knows, or can learn, its size in pixels.
///
/// Making one does no I/O. The size comes from where the image was loaded from, such as the two columns beside its
/// name; when it is not known, the first ``dimensions()`` probes the file, and this value and its copies remember the
/// result.
///
/// Two images are equal when their files are.
public struct StorageImage: Hashable, Sendable, CustomStringConvertible {
    /// The file.
    public let file: StorageFile

    private let initialState: SizeState
    private let prober: ImageProber
    private let recorder: (any ImageSizeRecorder)?
    /// The memory of a probe's outcome, for an image of unknown size only: rows with a size cost no allocation.
    private let memory: ProbeMemory?

    /// Binds a name to a storage, with what is known about the size.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - storage: The storage.
    ///   - width: The width in pixels, as ``width`` has it. Default `nil`: not known.
    ///   - height: The height in pixels, as ``height`` has it. Default `nil`: not known.
    public init(name: StorageName, in storage: any Storage, width: Int? = nil, height: Int? = nil) {
        self.init(file: StorageFile(name: name, in: storage), size: SizeState(width: width, height: height))
    }

    /// Binds a name that must be valid already to a storage, with what is known about the size.
    ///
    /// - Parameters:
    ///   - name: The name, as a storage or a column gave it.
    ///   - storage: The storage.
    ///   - width: The width in pixels, as ``width`` has it. Default `nil`: not known.
    ///   - height: The height in pixels, as ``height`` has it. Default `nil`: not known.
    /// - Throws: ``StorageError`` with code `.invalidName`.
    public init(name: String, in storage: any Storage, width: Int? = nil, height: Int? = nil) throws {
        self.init(name: try StorageName(validating: name), in: storage, width: width, height: height)
    }

    /// Makes an image of a file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - size: What is known about the size. Default: nothing.
    ///   - recorder: Told the size when it had to be probed. Default: nobody.
    ///   - prober: How to probe. Default: verified, display size.
    public init(
        file: StorageFile,
        size: SizeState = .unknown,
        recorder: (any ImageSizeRecorder)? = nil,
        prober: ImageProber = .default
    ) {
        self.file = file
        self.initialState = size
        self.recorder = recorder
        self.prober = prober
        self.memory = size == .unknown ? ProbeMemory() : nil
    }

    // MARK: Size

    /// The state of the knowledge about the size, without I/O.
    ///
    /// An image that was refused because of the prober's limits stays ``SizeState/unknown``.
    public var sizeState: SizeState {
        memory?.verdict?.recorded ?? initialState
    }

    /// The size if it is known, without I/O.
    public var pixelSize: PixelSize? {
        guard case .known(let size) = sizeState else { return nil }
        return size
    }

    /// The width in pixels: `nil` when it is not known, 0 when the file is known to be no image.
    public var width: Int? { sizeState.width }

    /// The height in pixels: `nil` when it is not known, 0 when the file is known to be no image.
    public var height: Int? { sizeState.height }

    /// The size, probed when it is not known.
    ///
    /// A known size, or the knowledge that the file is no image, is returned without I/O. Callers in this process who
    /// ask for the same image at the same time share one probe; one of them being cancelled does not disturb the
    /// others. This value and its copies remember the size, and the recorder is told once. The last 1024 refusals by
    /// a prober's limits are remembered for the process, for images that have a recorder.
    ///
    /// - Returns: The size, at least 1x1.
    /// - Throws: ``ImageError`` with code ``ImageError/Code/notAnImage`` when it is known to be none, with the other
    ///   codes as a probe gives them; ``StorageError`` when the file cannot be read, then the next call tries again;
    ///   `CancellationError`.
    public func dimensions() async throws -> PixelSize {
        switch initialState {
        case .known(let size): return size
        case .notAnImage: throw Self.notAnImage(file.name)
        case .unknown: break
        }
        // An image of unknown size always has a memory.
        guard let memory else { return try await prober.probe(file).size }
        if let verdict = memory.verdict { return try verdict.get() }
        return try await ProbeFlights.shared.verdict(for: file, prober: prober, recorder: recorder, memory: memory)
            .get()
    }

    private static func notAnImage(_ name: StorageName) -> ImageError {
        ImageError(
            .notAnImage,
            "The file was looked at before and is no image. Store another one under a new name.",
            name: name.string
        )
    }

    // MARK: Identity

    /// The name.
    public var description: String { file.description }

    /// Returns whether two images are the same file.
    public static func == (left: StorageImage, right: StorageImage) -> Bool {
        left.file == right.file
    }

    /// Feeds the file into a hasher.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(file)
    }
}
