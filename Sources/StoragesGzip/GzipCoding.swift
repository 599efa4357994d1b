public import Storages

/// gzip (RFC 1952), by zlib.
///
/// Equal bytes become equal gzip, byte for byte, on one machine: no date and no name is written. Other versions of zlib
/// may compress otherwise.
public struct GzipCoding: ContentCoding, Hashable {
    /// The compression level, from 1 (fastest) to 9 (smallest).
    public let level: Int

    /// Creates the coding.
    ///
    /// - Parameter level: 1, fast, to 9, small; others count as the nearest of these. Default: 6.
    public init(level: Int = 6) {
        self.level = min(max(level, 1), 9)
    }

    /// `gzip`.
    public var name: String { "gzip" }

    /// A few bytes more than there were: see `deflateBound` in the zlib manual.
    public func largestEncodedSize(of byteCount: Int64) -> Int64 {
        byteCount + (byteCount >> 12) + (byteCount >> 14) + (byteCount >> 25) + 32
    }

    /// Begins to compress one file, in about 256 KiB of memory.
    public func makeEncoder() throws -> any ContentTransform {
        try GzipEncoder(level: level)
    }

    /// Begins to decompress one file, in about 40 KiB of memory; takes several gzips one after the other for one file,
    /// as the RFC wants it.
    public func makeDecoder() throws -> any ContentTransform {
        try GzipDecoder()
    }
}

extension ContentCoding where Self == GzipCoding {
    /// gzip at the usual level, 6.
    public static var gzip: GzipCoding { GzipCoding() }

    /// gzip.
    ///
    /// - Parameter level: 1, fast, to 9, small.
    /// - Returns: The coding.
    public static func gzip(level: Int) -> GzipCoding { GzipCoding(level: level) }
}
