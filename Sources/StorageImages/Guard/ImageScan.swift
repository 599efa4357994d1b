public import NIOCore

/// Checks the bytes of one image while they stream by: header, limits and structure, in constant memory.
public struct ImageScan: Sendable {
    /// What a whole scan found.
    public struct Result: Hashable, Sendable {
        /// The header.
        public let header: ImageHeader
        /// What may be done with the image.
        public let verdict: ImageGuard.Verdict
        /// The size of the file in bytes.
        public let byteCount: Int64
        /// Whether the image's own end mark was seen.
        public let isTruncated: Bool
    }

    /// The header, as soon as it is known.
    public private(set) var header: ImageHeader?

    /// Creates a scan.
    public init(limits: ImageLimits = ImageLimits(), totalSize: Int64? = nil) {}

    /// Looks at the next bytes.
    public mutating func consume(_ bytes: ByteBuffer) throws(ImageError) {}

    /// Looks at the next bytes.
    public mutating func consume(_ bytes: Span<UInt8>) throws(ImageError) {}

    /// Says that there are no more bytes and returns the verdict over all of them.
    public mutating func finish() throws(ImageError) -> Result { throw ImageError(.headerNotFound, "") }
}
