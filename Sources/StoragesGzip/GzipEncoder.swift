import CLibZ
import NIOCore
import Storages

/// Compresses one file.
final class GzipEncoder: ContentTransform {
    private let stream: ZlibStream
    private var isFinished = false

    init(level: Int) throws {
        // The largest window, and a gzip header and trailer around what comes; a header that nobody sets has no date.
        let windowBits = MAX_WBITS + 16
        stream = try ZlibStream(
            {
                deflateInit2_(
                    $0,
                    Int32(level),
                    Z_DEFLATED,
                    windowBits,
                    8,
                    Z_DEFAULT_STRATEGY,
                    ZLIB_VERSION,
                    Int32(MemoryLayout<z_stream>.size)
                )
            },
            end: { _ = deflateEnd($0) }
        )
    }

    func next(from input: inout ByteBuffer) throws -> ByteBuffer? {
        let (output, status) = stream.run(&input) { deflate($0, Z_NO_FLUSH) }
        // Z_BUF_ERROR: there was nothing to take and nothing to give.
        guard status == Z_OK || status == Z_BUF_ERROR else { throw failure(status) }
        return output.readableBytes > 0 ? output : nil
    }

    func finish() throws -> ByteBuffer? {
        guard !isFinished else { return nil }
        var nothing = ByteBuffer()
        let (output, status) = stream.run(&nothing) { deflate($0, Z_FINISH) }
        guard status == Z_OK || status == Z_STREAM_END else { throw failure(status) }
        isFinished = status == Z_STREAM_END
        return output.readableBytes > 0 ? output : nil
    }

    private func failure(_ status: Int32) -> StorageError {
        StorageError(.unavailable, "zlib cannot compress (code \(status)). Upload the file again.")
    }
}
