import StorageImages
import Testing

/// A file that costs an unguarded decoder seconds or gigabytes, and what is said of it instead.
struct Bomb: CustomTestStringConvertible {
    let name: String
    let code: ImageError.Code
    let make: @Sendable () throws -> [UInt8]

    var testDescription: String { name }

    static let all: [Bomb] = [
        Bomb(name: "JPEG 8224x65312 without pixels", code: .tooManyPixels) {
            JPEGBuilder(width: 8224, height: 65_312, components: 1, hasData: false).bytes()
        },
        Bomb(name: "progressive JPEG 20000x20000", code: .tooManyPixels) {
            JPEGBuilder(width: 20_000, height: 20_000, isProgressive: true, hasData: false).bytes()
        },
        Bomb(name: "JPEG 4000x4000 with 2,000 scans", code: .tooManyScans) {
            JPEGBuilder(width: 4000, height: 4000, isProgressive: true, extraScans: 2000).bytes()
        },
        Bomb(name: "JPEG 4000x4000 with 20,000 scans", code: .tooManyScans) {
            JPEGBuilder(width: 4000, height: 4000, isProgressive: true, extraScans: 20_000).bytes()
        },
        Bomb(name: "PNG 26754x26754 RGB", code: .tooManyPixels) {
            PNGBuilder(width: 26_754, height: 26_754, colorType: 2, hasRows: false).bytes()
        },
        Bomb(name: "PNG 30000x30000 of one bit", code: .tooManyPixels) {
            PNGBuilder(width: 30_000, height: 30_000, bitDepth: 1, hasRows: false).bytes()
        },
        Bomb(name: "GIF 20000x20000", code: .tooManyPixels) {
            // Screen, one frame of that size, a code that means nothing, the trailer.
            Array("GIF89a".utf8) + [0x20, 0x4E, 0x20, 0x4E, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]
                + [0x2C, 0, 0, 0, 0, 0x20, 0x4E, 0x20, 0x4E, 0, 2, 1, 0x44, 0, 0x3B]
        },
        Bomb(name: "AVIF 16384x16384", code: .tooManyPixels) { try avif(width: 16_384, height: 16_384) },
        Bomb(name: "TIFF 46340x46340 in fax coding", code: .tooManyPixels) {
            tiff(width: 46_340, height: 46_340, bits: 1, compression: 4)
        },
        Bomb(name: "TIFF 30000x30000, deflated", code: .tooManyPixels) {
            tiff(width: 30_000, height: 30_000, bits: 8, compression: 8)
        },
    ]

    /// An AVIF whose `ispe` claims another size than its pixels have.
    static func avif(width: UInt32, height: UInt32) throws -> [UInt8] {
        var bytes = try HeaderFixture.bytes("plain.avif")
        let name = Array("ispe".utf8)
        for start in 0..<bytes.count - 16 where bytes[start..<start + 4].elementsEqual(name) {
            bytes.replaceSubrange(
                start + 8..<start + 16,
                with: PNGBuilder.bigEndian(width) + PNGBuilder.bigEndian(height)
            )
        }
        return bytes
    }

    /// A PNG with a compressed text of 200 MB before its pixels.
    static func textOf200Megabytes() -> [UInt8] {
        var text = DeflateWriter()
        text.zeros(200 << 20, isLast: true)
        text.align()
        return PNGBuilder(before: [("zTXt", Array("Comment".utf8) + [0, 0, 0x78, 0x01] + text.bytes + [0, 0, 0, 0])])
            .bytes()
    }

    private static func tiff(width: UInt32, height: UInt32, bits: UInt16, compression: UInt16) -> [UInt8] {
        func little(_ value: UInt32) -> [UInt8] { PNGBuilder.bigEndian(value).reversed() }
        let entries: [(tag: UInt32, type: UInt32, value: UInt32)] = [
            (256, 4, width), (257, 4, height), (258, 3, UInt32(bits)), (259, 3, UInt32(compression)), (262, 3, 1),
            (273, 4, 8), (278, 4, height), (279, 4, 8),
        ]
        var file: [UInt8] = [0x49, 0x49, 42, 0, 16, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
        file += little(UInt32(entries.count)).prefix(2)
        for entry in entries {
            file += little(entry.tag).prefix(2) + little(entry.type).prefix(2) + little(1) + little(entry.value)
        }
        return file + little(0)
    }
}
