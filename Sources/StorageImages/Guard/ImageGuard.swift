public import NIOCore

/// Decides which images a decoder may see.
public struct ImageGuard: Sendable {
    /// What may be done with an accepted image.
    public enum Verdict: Hashable, Sendable {
        /// libgd may decode it in this process.
        case decode
        /// Its header is believed; it must not be given to a decoder in this process.
        case headerOnly
    }

    /// What is allowed.
    public let limits: ImageLimits

    /// Creates a guard.
    public init(limits: ImageLimits = ImageLimits()) { self.limits = limits }

    /// Checks what the header alone tells.
    public func check(_ header: ImageHeader) throws(ImageError) -> Verdict {
        throw ImageError(.headerNotFound, "")
    }

    /// Checks what the header and the size of the file tell.
    public func check(_ header: ImageHeader, byteCount: Int64) throws(ImageError) -> Verdict {
        throw ImageError(.headerNotFound, "")
    }

    /// Checks a whole file: header, limits, structure.
    public func check(_ bytes: ByteBuffer) throws(ImageError) -> ImageScan.Result {
        throw ImageError(.headerNotFound, "")
    }

    /// The bytes of memory that libgd needs at its peak to decode an image.
    public static func decodeMemory(for header: ImageHeader, byteCount: Int64) -> Int64 { 0 }
}
