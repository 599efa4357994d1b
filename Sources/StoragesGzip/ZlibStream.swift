import CLibZ
import NIOCore
import Storages

/// A `z_stream`, which keeps its address: zlib's own state points back at it.
///
/// Used by one task at a time; not `Sendable`.
final class ZlibStream {
    /// The most bytes that one call returns.
    private static let outputSize = 64 * 1024

    private let stream: UnsafeMutablePointer<z_stream>
    /// The buffer into which zlib writes; kept when little was written.
    private var space = ByteBuffer()
    private let end: (UnsafeMutablePointer<z_stream>) -> Void

    /// Makes a stream.
    ///
    /// - Parameters:
    ///   - begin: `deflateInit2_` or `inflateInit2_`.
    ///   - end: `deflateEnd` or `inflateEnd`.
    init(
        _ begin: (UnsafeMutablePointer<z_stream>) -> Int32,
        end: @escaping (UnsafeMutablePointer<z_stream>) -> Void
    ) throws {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = begin(stream)
        guard status == Z_OK else {
            stream.deallocate()
            throw StorageError(
                .unavailable,
                "zlib cannot begin (code \(status)): there is no memory, or the library is another version than its "
                    + "headers."
            )
        }
        self.stream = stream
        self.end = end
    }

    deinit {
        end(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Runs one step of zlib, which consumes input and produces output.
    ///
    /// - Parameters:
    ///   - input: What is taken is gone from it.
    ///   - step: `deflate` or `inflate`.
    /// - Returns: What came, perhaps nothing, and what the step returned.
    func run(
        _ input: inout ByteBuffer,
        _ step: (UnsafeMutablePointer<z_stream>) -> Int32
    ) -> (output: ByteBuffer, status: Int32) {
        var status = Z_OK
        space.clear(minimumCapacity: Self.outputSize)
        input.readWithUnsafeReadableBytes { source in
            // A chunk of a body has at most 256 KiB; who calls may give any.
            let count = min(source.count, Int(Int32.max))
            stream.pointee.next_in = source.baseAddress?.assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_in = UInt32(count)
            space.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.outputSize) { target in
                stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(Self.outputSize)
                status = step(stream)
                return Self.outputSize - Int(stream.pointee.avail_out)
            }
            // They point into buffers that may not be there any more when this returns.
            stream.pointee.next_in = nil
            stream.pointee.next_out = nil
            return count - Int(stream.pointee.avail_in)
        }
        return (takeOutput(), status)
    }

    /// Returns what was written, in a buffer that is not much larger than it: it may be held until a part of an upload
    /// is full.
    private func takeOutput() -> ByteBuffer {
        guard space.readableBytes >= Self.outputSize / 2 else {
            return space.readableBytes > 0 ? ByteBuffer(bytes: space.readableBytesView) : ByteBuffer()
        }
        defer { space = ByteBuffer() }
        return space
    }

    /// Does what neither takes nor gives bytes, such as `inflateReset`.
    func perform(_ step: (UnsafeMutablePointer<z_stream>) -> Int32) -> Int32 {
        step(stream)
    }
}
