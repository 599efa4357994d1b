public import NIOCore

/// Reads the header of an image out of windows of its bytes, and says which bytes it needs next.
///
/// The parser never asks for an earlier byte again, keeps at most a few hundred bytes between two calls, and bounds
/// everything that a hostile file could make long: the number of reads, of requests, of bytes.
public struct ImageHeaderParser: Sendable {
    /// What a call to `parse` came to.
    public enum Step: Hashable, Sendable {
        /// The header is complete.
        case header(ImageHeader)
        /// The parser needs at least `length` bytes from `offset` on; more are welcome.
        case needsMore(offset: Int64, length: Int)
    }

    /// Creates a parser.
    public init() {}

    /// Looks at the next bytes.
    ///
    /// - Parameters:
    ///   - window: Some bytes of the file.
    ///   - offset: Where in the file the window begins, in bytes.
    ///   - totalSize: The size of the file in bytes, `nil` when it is not known yet.
    /// - Returns: The header, or what is needed next.
    public mutating func parse(_ window: Span<UInt8>, at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        throw ImageError(.headerNotFound, "")
    }

    /// Looks at the next bytes.
    public mutating func parse(_ window: ByteBuffer, at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        throw ImageError(.headerNotFound, "")
    }

    /// Looks at the next bytes.
    public mutating func parse(_ window: [UInt8], at offset: Int64, totalSize: Int64?) throws(ImageError) -> Step {
        throw ImageError(.headerNotFound, "")
    }

    /// Says that the file has no more bytes than those seen.
    public mutating func finish(totalSize: Int64) throws(ImageError) -> ImageHeader {
        throw ImageError(.headerNotFound, "")
    }
}
