import CLibZ
import NIOCore
import Storages

/// Decompresses one file.
final class GzipDecoder: ContentTransform {
    private let stream: ZlibStream
    /// A Boolean value that indicates whether the file may end here: not within a gzip member, and not before the first
    /// one.
    private var mayEnd = false

    init() throws {
        // The largest window, and gzip only.
        let windowBits = MAX_WBITS + 16
        stream = try ZlibStream(
            { inflateInit2_($0, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) },
            end: { _ = inflateEnd($0) }
        )
    }

    func next(from input: inout ByteBuffer) throws -> ByteBuffer? {
        while true {
            if mayEnd {
                guard input.readableBytes > 0 else { return nil }
                // RFC 1952 section 2.2: a file is a series of members.
                mayEnd = false
            }
            let (output, status) = stream.run(&input) { inflate($0, Z_NO_FLUSH) }
            switch status {
            case Z_OK, Z_BUF_ERROR:
                break
            case Z_STREAM_END:
                guard stream.perform({ inflateReset($0) }) == Z_OK else { throw damaged }
                mayEnd = true
            case Z_MEM_ERROR:
                throw StorageError(.unavailable, "There is no memory to decompress the file. Open it again.")
            default:
                throw damaged
            }
            if output.readableBytes > 0 { return output }
            // Without output all input was taken, unless a member without bytes has ended.
            if input.readableBytes == 0 { return nil }
        }
    }

    func finish() throws -> ByteBuffer? {
        var nothing = ByteBuffer()
        if let output = try next(from: &nothing) { return output }
        guard mayEnd else {
            throw StorageError(.corrupted, "The gzip ends too early: bytes are missing. Look at what was uploaded.")
        }
        return nil
    }

    private var damaged: StorageError {
        StorageError(.corrupted, "The file is no gzip, or a damaged one. Look at what was uploaded.")
    }
}
