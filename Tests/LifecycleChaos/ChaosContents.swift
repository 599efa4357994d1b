import LifecycleTestSupport
import NIOCore
import StoredFiles

/// The bytes of a file, which can be told from its name: whoever finds the one can check the other.
enum ChaosContents: Sendable {
    case bytes(SheetContents)
    case picture(seed: UInt64, width: Int, height: Int)

    /// Mostly small files; some take several chunks, between which a process can die.
    static func random(_ dice: Dice) -> ChaosContents {
        .bytes(SheetContents(seed: dice.next() >> 16, byteCount: dice.int(0...(dice.chance(12) ? 400_000 : 3000))))
    }

    static func tiny(_ dice: Dice) -> ChaosContents {
        .bytes(SheetContents(seed: dice.next() >> 16, byteCount: dice.int(1...20)))
    }

    static func randomPicture(_ dice: Dice) -> ChaosContents {
        .picture(seed: dice.next() >> 16, width: dice.int(1...24), height: dice.int(1...24))
    }

    /// Reads the last component of a stored name.
    init?(name: String) {
        guard let last = name.split(separator: "/").last, let dot = last.lastIndex(of: ".") else { return nil }
        let parts = last[..<dot].dropFirst().split(separator: "-")
        guard parts.count == 2, let seed = UInt64(parts[0]) else { return nil }
        if last.hasPrefix("s"), let count = Int(parts[1]) {
            self = .bytes(SheetContents(seed: seed, byteCount: count))
            return
        }
        let sides = parts[1].split(separator: "x").compactMap { Int($0) }
        guard last.hasPrefix("i"), sides.count == 2 else { return nil }
        self = .picture(seed: seed, width: sides[0], height: sides[1])
    }

    var fileName: String {
        switch self {
        case .bytes(let contents): "s\(contents.seed)-\(contents.byteCount).bin"
        case .picture(let seed, let width, let height): "i\(seed)-\(width)x\(height).bmp"
        }
    }

    var bytes: ByteBuffer {
        switch self {
        case .bytes(let contents): contents.bytes
        case .picture(let seed, let width, let height): Self.bitmap(seed, width, height)
        }
    }

    var size: (width: Int, height: Int)? {
        guard case .picture(_, let width, let height) = self else { return nil }
        return (width, height)
    }

    /// In chunks, so that the upload lasts.
    var body: UploadBody {
        let bytes = bytes
        guard bytes.readableBytes > 50_000 else { return .buffer(bytes) }
        let chunks = AsyncStream<ByteBuffer> { continuation in
            var rest = bytes
            while let chunk = rest.readSlice(length: min(rest.readableBytes, 50_000)), chunk.readableBytes > 0 {
                continuation.yield(chunk)
            }
            continuation.finish()
        }
        return .stream(chunks, length: Int64(bytes.readableBytes))
    }

    /// An uncompressed BMP of 24 bits a pixel.
    private static func bitmap(_ seed: UInt64, _ width: Int, _ height: Int) -> ByteBuffer {
        var generator = SplitMix64(state: seed)
        let stride = (width * 3 + 3) / 4 * 4
        var buffer = ByteBuffer()
        buffer.writeString("BM")
        for number in [54 + stride * height, 0, 54, 40, width, height] {
            buffer.writeInteger(UInt32(number), endianness: .little)
        }
        buffer.writeInteger(UInt16(1), endianness: .little)
        buffer.writeInteger(UInt16(24), endianness: .little)
        for number in [0, stride * height, 2835, 2835, 0, 0] {
            buffer.writeInteger(UInt32(number), endianness: .little)
        }
        for _ in 0..<(stride * height) { buffer.writeInteger(UInt8(truncatingIfNeeded: generator.next())) }
        return buffer
    }
}
