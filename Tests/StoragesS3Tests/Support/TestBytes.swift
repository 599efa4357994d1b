import NIOCore

/// Bytes in which no two places look alike, so that what is missing, doubled or misplaced shows.
enum TestBytes {
    private static let block: [UInt8] = {
        var state: UInt64 = 0x9E37_79B9_7F4A_7C15
        return (0..<65_521).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }()

    /// So many bytes; with another seed, others.
    static func make(_ count: Int, seed: Int = 0) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var number = seed << 32
        while buffer.readableBytes < count {
            buffer.writeInteger(number)
            buffer.writeBytes(block)
            number += 1
        }
        return buffer.getSlice(at: 0, length: count) ?? ByteBuffer()
    }
}
