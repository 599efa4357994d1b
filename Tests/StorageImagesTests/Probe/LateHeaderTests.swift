import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StorageImages

/// A header behind much else is found, or not found, alike by an upload and by both kinds of probe.
@Suite struct LateHeaderTests {
    private func uploaded(_ bytes: [UInt8]) async throws -> ImageProbeResult {
        let inspector = ImageUploadInspector()
        for start in stride(from: 0, to: bytes.count, by: 65_536) {
            try inspector.consume(ByteBuffer(bytes: bytes[start..<min(start + 65_536, bytes.count)]))
        }
        return try await inspector.finish(byteCount: Int64(bytes.count))
    }

    @Test(
        "Uploads and probes find a JPEG header behind megabytes of comments",
        arguments: [3, 15, 17, 20, 40, 90, 127]
    )
    func commentsBeforeTheFrameAreNoObstacle(_ comments: Int) async throws {
        let bytes = JPEGBuilder(comments: comments).bytes()
        let size = PixelSize(width: 64, height: 64)
        let upload = try await uploaded(bytes)
        #expect(upload.size == size && upload.isVerified)

        let storage = CountingStorage()
        let file = try await storage.put(bytes, "late.jpg")
        let verified = try await ImageProber.default.probe(file)
        #expect(verified == upload)
        // Bytes before a header are kept up to 1 MiB; behind that the file is opened again.
        let isLate = bytes.count > 1 << 20
        #expect(storage.counts.opens == (isLate ? 2 : 1))

        let before = storage.counts.opens
        let header = try await ImageProber(mode: .headerOnly).probe(file)
        #expect(header.size == size && !header.isVerified)
        #expect(storage.counts.opens - before <= 12)
    }

    @Test("Uploads and probes of both modes give up on a late header at the same position", arguments: [129, 300])
    func allGiveUpAtTheSamePlace(_ comments: Int) async throws {
        let bytes = JPEGBuilder(comments: comments).bytes()
        let storage = CountingStorage()
        let file = try await storage.put(bytes, "late.jpg")
        var codes: [ImageError.Code?] = []
        codes.append(await #expect(throws: ImageError.self) { try await uploaded(bytes) }?.code)
        codes.append(await #expect(throws: ImageError.self) { try await ImageProber.default.probe(bytes: bytes) }?.code)
        for mode in [ImageProber.Mode.verified, .headerOnly] {
            codes.append(
                await #expect(throws: ImageError.self) { try await ImageProber(mode: mode).probe(file) }?.code
            )
        }
        #expect(codes == Array(repeating: .headerNotFound, count: 4))
    }

    @Test("Uploads and probes accept a PNG with megabytes of text before its pixels")
    func textBeforeThePixelsOfAPNGIsNoObstacle() async throws {
        let text = ("tEXt", Array("Comment".utf8) + [0] + [UInt8](repeating: 0x20, count: 100_000))
        for count in [5, 60, 100] {
            let bytes = PNGBuilder(before: Array(repeating: text, count: count)).bytes()
            let storage = CountingStorage()
            let file = try await storage.put(bytes, "late.png")
            #expect(try await ImageProber.default.probe(file) == (try await uploaded(bytes)))
            let opens = storage.counts.opens
            #expect(try await ImageProber(mode: .headerOnly).probe(file).size == PixelSize(width: 64, height: 64))
            #expect(storage.counts.opens - opens <= 12)
        }
    }

    @Test("A probe jumps to a TIFF directory 20 MB ahead")
    func whatLiesFarAheadIsJumpedTo() async throws {
        // The directory of this TIFF stands 20 MB behind its beginning.
        var bytes: [UInt8] = [0x49, 0x49, 42, 0] + PNGBuilder.bigEndian(20_000_000).reversed()
        bytes += [UInt8](repeating: 0, count: 20_000_000 - 8) + [2, 0]
        for (tag, value) in [(0, 30), (1, 20)] { bytes += [UInt8(tag), 1, 4, 0, 1, 0, 0, 0, UInt8(value), 0, 0, 0] }
        bytes += [0, 0, 0, 0]
        let storage = CountingStorage()
        let file = try await storage.put(bytes, "far.tif")
        #expect(try await ImageProber.default.probe(file).size == PixelSize(width: 30, height: 20))
        #expect(storage.counts.bytes < 2 << 20)
    }

    @Test("A probe fails if its second read finds another version of the file")
    func aSecondReadOfAnotherVersionIsNoVerdict() async throws {
        let storage = CountingStorage()
        let file = try await storage.put(JPEGBuilder(comments: 40).bytes(), "late.jpg")
        let other = JPEGBuilder(width: 32, comments: 40).bytes()
        storage.beforeOpen = { open in
            guard open == 2 else { return }
            var options = UploadOptions()
            options.ifExists = .replace
            _ = try await storage.upload(.bytes(other), to: file.name, options: options)
        }
        await #expect(throws: StorageError.self) { try await ImageProber.default.probe(file) }
    }
}
