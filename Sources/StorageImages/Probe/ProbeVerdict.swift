import NIOConcurrencyHelpers

/// The final outcome of a probe of an image, which is worth remembering.
enum ProbeVerdict: Sendable {
    case size(PixelSize)
    case refused(ImageError)

    /// The knowledge about the size to record; `nil` when a refusal depends on the limits of this prober and reveals
    /// nothing about the bytes.
    var recorded: StorageImage.SizeState? {
        switch self {
        case .size(let size): .known(size)
        case .refused(let error): error.isAboutBytes ? .notAnImage : nil
        }
    }

    func get() throws -> PixelSize {
        switch self {
        case .size(let size): return size
        case .refused(let error): throw error
        }
    }
}

extension ImageError {
    /// A Boolean value that indicates whether the bytes are to blame, so that every prober refuses them.
    var isAboutBytes: Bool {
        code == .notAnImage || code == .corrupt || code == .malformed || code == .truncated
    }

    /// A Boolean value that indicates whether a second probe of the same bytes by the same prober would end the same.
    var isFinal: Bool {
        code != .busy
    }
}

/// A box for the outcome of a probe, which one image and its copies share.
final class ProbeMemory: Sendable {
    private let box = NIOLockedValueBox<ProbeVerdict?>(nil)

    var verdict: ProbeVerdict? {
        get { box.withLockedValue { $0 } }
        set { box.withLockedValue { $0 = newValue } }
    }
}
