import NIOConcurrencyHelpers

/// What a probe of an image came to, for good: worth remembering.
enum ProbeVerdict: Sendable {
    case size(PixelSize)
    case refused(ImageError)

    /// What the size columns shall hold; `nil` when a refusal depends on the limits of this prober and says nothing
    /// about the bytes.
    var recorded: PixelSize? {
        switch self {
        case .size(let size): size
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
    /// Whether the bytes are to blame, whoever probes them.
    var isAboutBytes: Bool {
        code == .notAnImage || code == .corrupt || code == .malformed || code == .truncated
    }

    /// Whether a second probe of the same bytes by the same prober would end the same.
    var isFinal: Bool {
        code != .busy
    }
}

/// What one image and its copies remember of their probe.
final class ProbeMemory: Sendable {
    private let box = NIOLockedValueBox<ProbeVerdict?>(nil)

    var verdict: ProbeVerdict? {
        get { box.withLockedValue { $0 } }
        set { box.withLockedValue { $0 = newValue } }
    }
}
