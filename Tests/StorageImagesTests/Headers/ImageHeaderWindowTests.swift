import NIOCore
import StorageImages
import Testing

/// The result does not depend on how the bytes arrive, and the cost of finding it is bounded.
@Suite struct ImageHeaderWindowTests {
    @Test(
        "Streaming in chunks of any size gives the same header as the whole file",
        arguments: [1, 2, 3, 7, 16, 100, 4096, 65_536]
    )
    func streamsOfAnyChunkGiveTheSame(_ chunk: Int) throws {
        for name in try HeaderFixture.names() {
            let bytes = try HeaderFixture.bytes(name)
            let whole = HeaderFixture.ranged(bytes, window: max(bytes.count, 1))
            let streamed = HeaderFixture.streamed(bytes, chunk: chunk)
            #expect(streamed.header == whole.header, "\(name)")
            // Without the size beforehand, a claim beyond the end is only known to be false at the end.
            if whole.code != .corrupt { #expect(streamed.code == whole.code, "\(name)") }
            #expect((streamed.code == nil) == (whole.code == nil), "\(name)")
        }
    }

    @Test("Ranged reads of any window size give the same header as the whole file", arguments: [1024, 4096, 65_536])
    func rangedReadsOfAnyWindowGiveTheSame(_ window: Int) throws {
        for name in try HeaderFixture.names() {
            let bytes = try HeaderFixture.bytes(name)
            let whole = HeaderFixture.ranged(bytes, window: max(bytes.count, 1))
            let ranged = HeaderFixture.ranged(bytes, window: window)
            #expect(ranged.header == whole.header, "\(name)")
            #expect(ranged.code == whole.code, "\(name)")
            #expect(ranged.requests <= 3, "\(name)")
        }
    }

    @Test("The header parser reads a buffer from its reader index")
    func aBufferIsReadFromItsReaderIndex() throws {
        let bytes = try HeaderFixture.bytes("exif-6.jpg")
        var buffer = ByteBuffer(bytes: [1, 2, 3] + bytes)
        buffer.moveReaderIndex(forwardBy: 3)
        var parser = ImageHeaderParser()
        let step = try parser.parse(buffer, at: 0, totalSize: Int64(bytes.count))
        guard case .header(let header) = step else {
            Issue.record("no header")
            return
        }
        #expect(header.displaySize == PixelSize(width: 207, height: 311))
        #expect(try parser.parse(ByteBuffer(), at: 0, totalSize: nil) == .header(header))
    }

    /// A JPEG with `count` segments of `length` bytes each before its frame header.
    private func jpeg(marker: UInt8, count: Int, length: Int, orientation: UInt8? = nil) throws -> [UInt8] {
        let plain = try HeaderFixture.bytes(orientation.map { "exif-\($0).jpg" } ?? "exif-none.jpg")
        var bytes: [UInt8] = Array(plain[0..<2])
        for _ in 0..<count {
            bytes += [0xFF, marker, UInt8((length + 2) >> 8), UInt8((length + 2) & 0xFF)]
            // Bytes that would be taken for a frame header if segments were searched, not skipped.
            bytes += (0..<length).map { [0xFF, 0xC0, 0x00, 0x11][$0 % 4] }
        }
        return bytes + plain[2...]
    }

    @Test("One megabyte of comments before the frame header of a JPEG is skipped")
    func oneMegabyteOfCommentsBeforeTheFrameIsSkipped() throws {
        let bytes = try jpeg(marker: 0xFE, count: 16, length: 65_533, orientation: 6)
        #expect(bytes.count > 1_000_000)
        let outcome = HeaderFixture.ranged(bytes)
        #expect(outcome.summary == "jpeg 311x207 right 207x311")
        #expect(outcome.requests <= 17)
        let header = try #require(outcome.header)
        #expect(header.bytesRead < 400)
        #expect(HeaderFixture.streamed(bytes, chunk: 8192).header == header)
    }

    @Test("One megabyte of EXIF before the frame header of a JPEG is skipped")
    func oneMegabyteOfEXIFBeforeTheFrameIsSkipped() throws {
        let bytes = try jpeg(marker: 0xE1, count: 16, length: 65_533, orientation: 8)
        #expect(HeaderFixture.ranged(bytes).summary == "jpeg 311x207 left 207x311")
    }

    @Test("An endless chain of JPEG segments ends with headerNotFound")
    func anEndlessChainOfSegmentsEndsWithHeaderNotFound() throws {
        let bytes = try jpeg(marker: 0xFE, count: 200, length: 65_533)
        let outcome = HeaderFixture.ranged(bytes)
        #expect(outcome.code == .headerNotFound)
        #expect(outcome.requests <= 32)
        #expect(HeaderFixture.streamed(bytes, chunk: 65_536).code == .headerNotFound)
    }

    @Test("A stream may skip more JPEG segments than ranged reads")
    func aStreamMaySkipMoreThanRangedReads() throws {
        // 3.3 MB in 50 segments would need 50 requests, but a stream passes by anyway.
        let bytes = try jpeg(marker: 0xFE, count: 50, length: 65_533)
        #expect(HeaderFixture.ranged(bytes).code == .headerNotFound)
        #expect(HeaderFixture.streamed(bytes, chunk: 65_536).summary == "jpeg 311x207 up 311x207")
    }

    @Test("The directory at the end of a TIFF or HEIC is found with two requests")
    func aDirectoryAtTheEndIsFoundWithTwoRequests() throws {
        let outcome = HeaderFixture.ranged(try HeaderFixture.bytes("ifd-at-end.tif"))
        #expect(outcome.requests == 2)
        #expect(outcome.header?.orientation == .down)
        let heic = HeaderFixture.ranged(try HeaderFixture.bytes("meta-after-mdat.heic"))
        #expect(heic.requests == 2)
        #expect(heic.summary == "heic 311x207 up 311x207")
    }

    @Test("The header parser requests the offset of a TIFF directory that lies ahead")
    func needsMoreNamesTheOffsetOfTheDirectory() throws {
        let bytes = try HeaderFixture.bytes("ifd-at-end.tif")
        var parser = ImageHeaderParser()
        let step = try parser.parse(Array(bytes[..<1000]), at: 0, totalSize: Int64(bytes.count))
        #expect(step == .needsMore(offset: 100_008, length: 2))
    }

    @Test("A JPEG with too much garbage between its segments is refused")
    func garbageBetweenSegmentsIsBounded() throws {
        let plain = try HeaderFixture.bytes("exif-none.jpg")
        let little = plain[..<20] + [UInt8](repeating: 0x41, count: 60_000) + plain[20...]
        #expect(HeaderFixture.ranged(Array(little)).summary == "jpeg 311x207 up 311x207")
        #expect(HeaderFixture.streamed(Array(little), chunk: 1000).summary == "jpeg 311x207 up 311x207")
        for byte in [UInt8(0x41), 0xFF] {
            let much = plain[..<20] + [UInt8](repeating: byte, count: 70_000) + plain[20...]
            #expect(HeaderFixture.ranged(Array(much)).code == .malformed)
        }
    }

    @Test("The limit for JPEG segments is the same for a file in one piece and in many")
    func aFileInOnePieceIsJudgedAsOneInManyPieces() throws {
        for (count, summary) in [(120, "jpeg 311x207 up 311x207"), (160, "headerNotFound")] {
            let bytes = try jpeg(marker: 0xFE, count: count, length: 65_533)
            #expect(HeaderFixture.ranged(bytes, window: bytes.count).summary == summary)
            #expect(HeaderFixture.ranged(bytes, window: 1 << 20).summary == summary)
            #expect(HeaderFixture.streamed(bytes, chunk: 65_536).summary == summary)
        }
    }

    @Test("A TIFF with too many entries, or a HEIC with too many boxes, is refused")
    func countsOfEntriesAndBoxesAreBounded() throws {
        var tiff: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 0x01, 0x10]
        tiff += [UInt8](repeating: 0, count: 12 * 4097 + 4)
        #expect(HeaderFixture.ranged(tiff).code == .malformed)
        let heic = try HeaderFixture.bytes("plain.heic")
        let free: [UInt8] = [0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]
        let few = heic[..<24] + Array(repeatElement(free, count: 900).joined()) + heic[24...]
        #expect(HeaderFixture.ranged(Array(few)).summary == "heic 311x207 up 311x207")
        let many = heic[..<24] + Array(repeatElement(free, count: 1100).joined()) + heic[24...]
        #expect(HeaderFixture.ranged(Array(many)).code == .malformed)
    }

    @Test("A HEIC box of length zero reaches to the end of the file")
    func aBoxOfLengthZeroReachesToTheEndOfTheFile() throws {
        let heic = try HeaderFixture.bytes("irot-3.heic")
        // The last box, mdat of 24 bytes, goes, so that meta may be the one without a length.
        var open = Array(heic.dropLast(24))
        for index in 24..<28 { open[index] = 0 }
        #expect(HeaderFixture.ranged(open).summary == "heic 311x207 right 207x311")
        #expect(HeaderFixture.streamed(open, chunk: 50).summary == "heic 311x207 right 207x311")
        let sequence = try HeaderFixture.bytes("movie.mp4.heic")
        var brand = sequence
        brand.replaceSubrange(16..<20, with: Array("msf1".utf8))
        brand += [0, 0, 0, 0] + Array("mdat".utf8) + [1, 2, 3]
        #expect(HeaderFixture.ranged(brand).summary == "heif 320x180 up 320x180 animated")
        #expect(HeaderFixture.streamed(brand, chunk: 50).summary == "heif 320x180 up 320x180 animated")
    }

    @Test("A header parser that has failed does not parse again")
    func anErrorIsFinal() throws {
        let good = try HeaderFixture.bytes("cat.jpg")
        var parser = ImageHeaderParser()
        #expect(throws: ImageError.self) {
            _ = try parser.parse(Array("<html>".utf8), at: 0, totalSize: 6)
        }
        #expect(throws: ImageError.self) {
            _ = try parser.parse(good, at: 0, totalSize: Int64(good.count))
        }
    }

    @Test("A header parser that is fed the same bytes again and again gives up")
    func aCallerWhoRepeatsTheSameBytesIsStopped() throws {
        let bytes = try HeaderFixture.bytes("ifd-at-end.tif")
        var parser = ImageHeaderParser()
        var calls = 0
        let error = #expect(throws: ImageError.self) {
            while true {
                calls += 1
                _ = try parser.parse(Array(bytes[..<100]), at: 0, totalSize: Int64(bytes.count))
            }
        }
        #expect(error?.code == .headerNotFound)
        #expect(calls <= 33)
    }
}
