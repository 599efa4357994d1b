import NIOCore
import StorageImages
import Testing

/// Streaming gives what the whole file gives, sees what a decoder would see, and refuses early.
@Suite struct ImageScanTests {
    private enum Verdict: Equatable {
        case accepted(ImageScan.Result)
        case refused(ImageError.Code)
    }

    private func whole(_ bytes: [UInt8], _ limits: ImageLimits = ImageLimits()) -> Verdict {
        do throws(ImageError) {
            return .accepted(try ImageGuard(limits: limits).check(ByteBuffer(bytes: bytes)))
        } catch {
            return .refused(error.code)
        }
    }

    private func streamed(_ bytes: [UInt8], chunk: Int, _ limits: ImageLimits = ImageLimits()) -> Verdict {
        var scan = ImageScan(limits: limits)
        do throws(ImageError) {
            var offset = 0
            while offset < bytes.count {
                let end = min(offset + chunk, bytes.count)
                try scan.consume(ByteBuffer(bytes: bytes[offset..<end]))
                offset = end
            }
            return .accepted(try scan.finish())
        } catch {
            return .refused(error.code)
        }
    }

    @Test(
        "Scanning an image in chunks of any size gives the same verdict as scanning it whole",
        arguments: [1, 5, 17, 18, 19, 1000, 65_536]
    )
    func chunksOfAnySizeGiveTheSameVerdict(_ chunk: Int) throws {
        for name in try HeaderFixture.names() {
            let bytes = Array(try HeaderFixture.bytes(name).prefix(chunk < 5 ? 12_000 : .max))
            let expected = whole(bytes)
            let found = streamed(bytes, chunk: chunk)
            if case .refused = expected, case .refused = found { continue }
            #expect(found == expected, "\(name)")
        }
    }

    @Test(
        "An image without its end marker is reported as truncated",
        arguments: [
            ("cat.jpg", false), ("trailing-zip.jpg", false), ("truncated-50.jpg", true), ("truncated-99.jpg", true),
            ("palette.png", false), ("truncated-50.png", true), ("truncated-99.png", true), ("plain.gif", false),
            ("animated.gif", false), ("gif-and-javascript.gif", false), ("no-trailer.gif", true),
            ("truncated-50.gif", true), ("truncated-90.gif", true), ("truncated-99.gif", true), ("lossy.webp", false),
            ("truncated-50.webp", true), ("truncated-99.webp", true),
        ]
    )
    func theEndMarkIsLookedFor(_ name: String, _ isTruncated: Bool) throws {
        guard case .accepted(let result) = whole(try HeaderFixture.bytes(name)) else {
            Issue.record("\(name) was refused")
            return
        }
        #expect(result.isTruncated == isTruncated)
    }

    @Test("A GIF is reported as animated only if it has several frames")
    func theFramesOfAGIFAreCounted() throws {
        let animated = try ImageGuard().check(ByteBuffer(bytes: try HeaderFixture.bytes("animated.gif")))
        #expect(animated.header.isAnimated)
        let plain = try ImageGuard().check(ByteBuffer(bytes: try HeaderFixture.bytes("plain.gif")))
        #expect(!plain.header.isAnimated)
    }

    @Test("A streamed scan knows the header once the bytes up to it have arrived")
    func theHeaderIsKnownAfterTheFirstChunk() throws {
        let bytes = try HeaderFixture.bytes("cat.jpg")
        var scan = ImageScan()
        try scan.consume(ByteBuffer(bytes: bytes[..<10]))
        #expect(scan.header == nil)
        try scan.consume(ByteBuffer(bytes: bytes[10..<1000]))
        #expect(scan.header?.displaySize == PixelSize(width: 1200, height: 800))
        #expect(scan.byteCount == 1000)
    }

    @Test(
        "A streamed scan refuses a bad image at its first bytes",
        arguments: [("html_as.png", 18), ("bomb-46340.gif", 18), ("bomb-16383.webp", 34), ("bomb-46340.jpg", 357)]
    )
    func aBadImageIsRefusedByItsFirstBytes(_ name: String, _ most: Int) throws {
        let bytes = try HeaderFixture.bytes(name)
        var scan = ImageScan()
        var consumed = 0
        let error = #expect(throws: ImageError.self) {
            for byte in bytes {
                consumed += 1
                try scan.consume(ByteBuffer(bytes: [byte]))
            }
        }
        #expect(error != nil)
        #expect(consumed <= most)
        #expect(throws: ImageError.self) { try scan.consume(ByteBuffer(bytes: [0])) }
        #expect(throws: ImageError.self) { _ = try scan.finish() }
    }

    @Test("A chunk that claims 2 GB is refused at once if the file size is known, else at the end")
    func aClaimOfTwoGigabytesIsRefusedAtOnceWhenTheSizeIsKnown() throws {
        let bytes = try HeaderFixture.bytes("bomb-chunk-2g.png")
        var known = ImageScan(totalSize: 45)
        #expect(throws: ImageError.self) { try known.consume(ByteBuffer(bytes: bytes)) }
        var unknown = ImageScan()
        try unknown.consume(ByteBuffer(bytes: bytes))
        #expect(throws: ImageError.self) { _ = try unknown.finish() }
    }

    @Test("A PNG chunk that claims 2 GB is refused after the pixels, but ignored after IEND")
    func aHugeClaimBehindThePixelsIsRefusedToo() throws {
        let bytes = try HeaderFixture.bytes("rgb.png")
        let claim: [UInt8] = [0x7F, 0xFF, 0xFF, 0xFF] + Array("tEXta\0b".utf8)
        #expect(whole(Array(bytes.dropLast(12)) + claim) == .refused(.corrupt))
        #expect(streamed(Array(bytes.dropLast(12)) + claim, chunk: 100) == .refused(.corrupt))
        // Behind IEND no decoder looks.
        guard case .accepted = whole(bytes + claim) else {
            Issue.record("bytes behind IEND were looked at")
            return
        }
    }

    /// One scan header of a JPEG.
    private static let scan: [UInt8] = [0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 63, 0, 0x12]

    private func jpeg(inserting bytes: [UInt8]) throws -> [UInt8] {
        let plain = try HeaderFixture.bytes("exif-none.jpg")
        return Array(plain.dropLast(2)) + bytes + plain.suffix(2)
    }

    @Test("JPEG scan headers inside a comment are not counted")
    func scansInsideSegmentsAreNotCounted() throws {
        let hidden = Array(repeatElement(Self.scan, count: 150).joined())
        let length = hidden.count + 2
        let comment: [UInt8] = [0xFF, 0xFE, UInt8(length >> 8), UInt8(length & 0xFF)]
        guard case .accepted(let result) = whole(try jpeg(inserting: comment + hidden)) else {
            Issue.record("scans inside a comment were counted")
            return
        }
        #expect(!result.isTruncated)
        #expect(whole(try jpeg(inserting: hidden)) == .refused(.tooManyScans))
    }

    @Test("JPEG scan headers after a reserved marker are counted")
    func scansBehindAReservedMarkerAreCounted() throws {
        // libjpeg passes over FF 02 without a length when it resynchronises; so must the counter.
        let hidden = Array(repeatElement(Self.scan, count: 150).joined())
        #expect(whole(try jpeg(inserting: [0xFF, 0x02, 0xFF, 0xFF] + hidden)) == .refused(.tooManyScans))
    }

    @Test("JPEG scan headers after the end marker are not counted")
    func scansBehindTheEndAreNotCounted() throws {
        let bytes = try HeaderFixture.bytes("exif-none.jpg") + Array(repeatElement(Self.scan, count: 150).joined())
        guard case .accepted = whole(bytes) else {
            Issue.record("scans behind EOI were counted")
            return
        }
    }

    @Test("A JPEG scan may have megabytes of entropy-coded data")
    func entropyCodedDataMayBeLong() throws {
        // 4 MB of entropy-coded data belong to one scan, whatever their chunks.
        let bytes = try HeaderFixture.bytes("cat.jpg")
        var scan = ImageScan()
        try scan.consume(ByteBuffer(bytes: bytes.dropLast(2)))
        let filler = ByteBuffer(repeating: 0x55, count: 65_536)
        for _ in 0..<64 { try scan.consume(filler) }
        try scan.consume(ByteBuffer(bytes: [0xFF, 0xD9]))
        let result = try scan.finish()
        #expect(result.byteCount == Int64(bytes.count + 64 * 65_536))
        #expect(!result.isTruncated)
    }
}
