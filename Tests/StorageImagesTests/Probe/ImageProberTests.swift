import Foundation
import NIOCore
import Storages
import TestSupport
import Testing

@testable import StorageImages

/// Tests of the results of probes of real images and of hostile ones, and of how much they read.
@Suite struct ImageProberTests {
    @Test(
        "A probe of a sound image is verified and gives the size of its header",
        arguments: [
            "32x16.png", "alpha.webp", "animated.gif", "animated.png", "cat.jpg", "cmyk-adobe.jpg", "core12.bmp",
            "exif-6.jpg", "exif-6.png", "fill-bytes.jpg", "frame-smaller.gif", "gray-1bit.png", "gray.jpg", "gray.png",
            "info1.bmp", "info24.bmp", "info8.bmp", "interlaced.png", "lossless.webp", "lossy.webp", "palette.png",
            "plain.gif", "portrait-exif6.jpg", "progressive.jpg", "rgb.png", "rgb16.png", "rgba.png", "topdown.bmp",
            "trailing-zip.jpg", "ztxt-before-idat.png",
        ]
    )
    func libgdConfirmsWhatTheHeaderSays(_ name: String) async throws {
        let bytes = try HeaderFixture.bytes(name)
        let header = try #require(HeaderFixture.ranged(bytes).header)
        let result = try await ImageProber.default.probe(bytes: bytes)
        #expect(result.isVerified, "\(name)")
        #expect(result.size == header.displaySize && result.codedSize == header.codedSize)
        #expect(result.format == header.format && !result.isTruncated)
    }

    @Test(
        "A probe takes an image that libgd does not decode by its header",
        arguments: [
            "animated.webp", "plain.avif", "plain.heic", "plain.tif", "plain.ico", "plain.psd", "bitfields-565.bmp",
            "v5-rgba-bitfields.bmp",
        ]
    )
    func whatLibgdDoesNotDecodeIsTakenByItsHeader(_ name: String) async throws {
        let result = try await ImageProber.default.probe(bytes: try HeaderFixture.bytes(name))
        #expect(!result.isVerified && result.size.width > 0)
    }

    @Test(
        "A probe flags a truncated image that browsers still show",
        arguments: ["truncated-50.jpg", "truncated-99.jpg", "truncated-90.gif", "no-trailer.gif"]
    )
    func aCutOffImageThatBrowsersShowIsFlagged(_ name: String) async throws {
        let result = try await ImageProber.default.probe(bytes: try HeaderFixture.bytes(name))
        #expect(result.isTruncated && result.isVerified)
    }

    @Test("Decoding a truncated JPEG reports the premature end")
    func libjpegIsHeardWhenItRunsOutOfBytes() throws {
        for (name, isCut) in [("truncated-50.jpg", true), ("truncated-99.jpg", true), ("cat.jpg", false)] {
            let image = try GDImage(decoding: ByteBuffer(bytes: try HeaderFixture.bytes(name)), as: .jpeg)
            #expect(image.report.isPrematureEnd == isCut, "\(name)")
            #expect((image.report.message != nil) == isCut, "\(name)")
        }
    }

    @Test(
        "A probe refuses a bad image with the right code and its name",
        arguments: [
            ("bad-idat-crc.png", ImageError.Code.corrupt), ("truncated-50.png", .truncated),
            ("truncated-99.png", .truncated),
            ("truncated-50.webp", .truncated), ("truncated-50.bmp", .truncated), ("notes.txt", .notAnImage),
            ("bomb-46340.jpg", .tooManyPixels), ("bomb-46340.gif", .tooManyPixels), ("bomb-chunk-2g.png", .corrupt),
            ("bomb-7000-few-bytes.jpg", .corrupt), ("bomb-7000-few-bytes.png", .corrupt),
            ("bomb-46340-1bit.png", .tooManyPixels), ("bomb-46340-rle8.bmp", .tooManyPixels),
            ("bomb-16383.webp", .tooManyPixels), ("bomb-200-scans.jpg", .tooManyScans), ("frame-outside.gif", .corrupt),
        ]
    )
    func badImagesAreRefusedWithTheirCode(_ name: String, _ code: ImageError.Code) async throws {
        let storage = CountingStorage(chunk: 4096)
        let file = try await storage.put(HeaderFixture.bytes(name), name)
        let error = await #expect(throws: ImageError.self) { try await ImageProber.default.probe(file) }
        #expect(error?.code == code, "\(name)")
        #expect(error?.name == name)
    }

    // MARK: Reading

    @Test("A verified probe reads the file once")
    func aVerifiedProbeReadsTheFileOnce() async throws {
        let storage = CountingStorage(chunk: 4096)
        let bytes = try HeaderFixture.bytes("cat.jpg")
        let file = try await storage.put(bytes, "cat.jpg")
        #expect(try await ImageProber.default.probe(file).isVerified)
        #expect(storage.counts == .init(opens: 1, bytes: bytes.count))
        // One ranged read: the whole file, but never more than an image may have.
        #expect(storage.ranges == [.first(ImageLimits().maxFileBytes)])
    }

    @Test("A probe refuses a too large file after its first bytes, and not as truncated")
    func aFileLargerThanAllowedIsNeitherReadOnNorCalledTruncated() async throws {
        let storage = CountingStorage(chunk: 1000)
        let file = try await storage.put(HeaderFixture.bytes("cat.jpg"), "cat.jpg")
        for limit: Int64 in [10, 500, 20_000] {
            let prober = ImageProber(limits: ImageLimits(maxFileBytes: limit))
            let error = await #expect(throws: ImageError.self) { try await prober.probe(file) }
            #expect(error?.code == .tooManyBytes)
        }
        #expect(storage.counts.bytes < 4000)
    }

    @Test("A probe stops reading a file that it refuses")
    func aRefusedFileIsNotReadOn() async throws {
        let storage = CountingStorage(chunk: 4096)
        let file = try await storage.put(
            HeaderFixture.bytes("bomb-46340.jpg") + [UInt8](repeating: 0, count: 1 << 20),
            "b"
        )
        await #expect(throws: ImageError.self) { try await ImageProber.default.probe(file) }
        #expect(storage.counts == .init(opens: 1, bytes: 4096))
    }

    @Test("A probe stops reading after the header of a format that is not decoded")
    func aFormatForTheHeaderOnlyIsNotReadOn() async throws {
        let storage = CountingStorage(chunk: 4096)
        let file = try await storage.put(HeaderFixture.bytes("plain.avif") + [UInt8](repeating: 0, count: 1 << 20), "a")
        #expect(try await ImageProber.default.probe(file).isVerified == false)
        #expect(storage.counts.opens == 1 && storage.counts.bytes <= 3 * 4096)
    }

    @Test("A probe takes an image above the verification limit by its header")
    func anImageOverTheVerificationLimitIsTakenByItsHeader() async throws {
        let prober = ImageProber(limits: ImageLimits(verifyMaxPixels: 1000))
        let result = try await prober.probe(bytes: try HeaderFixture.bytes("rgb.png"))
        #expect(!result.isVerified && result.size == PixelSize(width: 64, height: 43))
    }

    @Test("A probe takes an image larger than the whole memory budget by its header")
    func anImageOverTheWholeBudgetIsTakenByItsHeader() async throws {
        var configuration = ImageDecoder.Configuration()
        configuration.memory = 1000
        let prober = ImageProber(decoder: try ImageDecoder(configuration))
        let result = try await prober.probe(bytes: try HeaderFixture.bytes("rgb.png"))
        #expect(!result.isVerified && result.size == PixelSize(width: 64, height: 43))
    }

    @Test("The memory budget is whole again after probes that succeed and fail")
    func theBudgetIsWholeAgainAfterwards() async throws {
        let decoder = ImageDecoder()
        let prober = ImageProber(decoder: decoder)
        for name in ["cat.jpg", "bad-idat-crc.png", "rgb.png", "notes.txt"] {
            _ = try? await prober.probe(bytes: try HeaderFixture.bytes(name))
        }
        #expect(try await eventually { decoder.freeMemory == ImageDecoder.Configuration().memory })
    }

    @Test("A header-only probe reads one window of the file")
    func headerOnlyReadsOneWindow() async throws {
        let storage = CountingStorage()
        var bytes = try HeaderFixture.bytes("cat.jpg")
        bytes += [UInt8](repeating: 0, count: 1 << 20)
        let file = try await storage.put(bytes, "cat.jpg")
        let result = try await ImageProber(mode: .headerOnly).probe(file)
        #expect(!result.isVerified && result.format == .jpeg)
        #expect(storage.counts == .init(opens: 1, bytes: ImageHeaderParser.windowSize))
    }

    @Test("A probe reports the size before the EXIF rotation on request")
    func theCodedSizeIsReportedWhenAskedFor() async throws {
        let bytes = try HeaderFixture.bytes("exif-6.jpg")
        #expect(try await ImageProber.default.probe(bytes: bytes).size == PixelSize(width: 207, height: 311))
        let coded = try await ImageProber(sizeKind: .coded).probe(bytes: bytes)
        #expect(coded.size == PixelSize(width: 311, height: 207) && coded.orientation == .right)
    }
}
