import NIOCore

/// The position of libcurl in a request's body.
struct RequestBodyReader {
    private let body: HTTPBody
    private var index = 0
    private var offset = 0

    init(_ body: HTTPBody) {
        self.body = body
    }

    /// Copies the next bytes; 0 at the end.
    mutating func read(into target: UnsafeMutableRawBufferPointer) -> Int {
        var copied = 0
        while copied < target.count, index < body.chunks.count {
            let chunk = body.chunks[index]
            let count = min(target.count - copied, chunk.readableBytes - offset)
            chunk.withUnsafeReadableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: target[copied...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)]))
            }
            copied += count
            offset += count
            if offset == chunk.readableBytes {
                index += 1
                offset = 0
            }
        }
        return copied
    }

    /// Goes to a position from the start.
    mutating func seek(to position: Int) -> Bool {
        guard position >= 0, position <= body.byteCount else { return false }
        index = 0
        offset = position
        while index < body.chunks.count, offset >= body.chunks[index].readableBytes {
            offset -= body.chunks[index].readableBytes
            index += 1
        }
        return true
    }
}
