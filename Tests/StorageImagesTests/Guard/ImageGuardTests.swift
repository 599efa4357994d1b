import NIOCore
import StorageImages
import Testing

/// Tests of what the guard lets through to a decoder, and what it stops.
@Suite struct ImageGuardTests {
    private func check(_ name: String, _ limits: ImageLimits = ImageLimits()) throws -> ImageScan.Result {
        try ImageGuard(limits: limits).check(ByteBuffer(bytes: try HeaderFixture.bytes(name)))
    }

    @Test(
        "The guard lets sound images be decoded",
        arguments: [
            "cat.jpg", "portrait-exif6.jpg", "32x16.png", "exif-6.jpg", "progressive.jpg", "gray.jpg", "cmyk-adobe.jpg",
            "fill-bytes.jpg", "garbage.jpg", "segment-length-0.jpg", "trailing-zip.jpg", "palette.png", "rgb.png",
            "rgba.png", "gray-1bit.png", "rgb16.png", "interlaced.png", "animated.png", "ztxt-before-idat.png",
            "plain.gif", "animated.gif", "no-trailer.gif", "frame-smaller.gif", "lossy.webp", "lossless.webp",
            "alpha.webp", "info24.bmp", "info8.bmp", "info1.bmp", "topdown.bmp", "core12.bmp", "v4.bmp", "os2-64.bmp",
            "rle8.bmp",
        ]
    )
    func goodImagesMayBeDecoded(_ name: String) throws {
        #expect(try check(name).verdict == .decode)
    }

    @Test(
        "The guard accepts formats that libgd does not decode by their headers",
        arguments: [
            "animated.webp", "v5-rgba-bitfields.bmp", "bitfields-565.bmp", "info16.bmp", "plain.tif", "plain.avif",
            "animated.avif", "plain.heic", "irot-1.heic", "plain.ico", "plain.cur", "plain.psd",
        ]
    )
    func whatLibgdCannotOrMustNotDecodeIsBelievedByItsHeader(_ name: String) throws {
        #expect(try check(name).verdict == .headerOnly)
    }

    @Test(
        "The guard refuses bombs, unsupported formats and files that are not images",
        arguments: [
            ("bomb-46340.jpg", .tooManyPixels), ("bomb-7000-few-bytes.jpg", .corrupt),
            ("bomb-200-scans.jpg", .tooManyScans),
            ("bomb-chunk-2g.png", .corrupt), ("bomb-46340-1bit.png", .tooManyPixels),
            ("bomb-7000-few-bytes.png", .corrupt), ("bomb-46340.gif", .tooManyPixels),
            ("bomb-7000-few-bytes.gif", .corrupt), ("bomb-16383.webp", .tooManyPixels),
            ("bomb-46340-rle8.bmp", .tooManyPixels), ("size-4294967295.tif", .tooManyPixels),
            ("ispe-huge.avif", .tooManyPixels), ("plain.psb", .tooManyPixels), ("truncated-50.bmp", .truncated),
            ("precision-12.jpg", .unsupportedFormat), ("two-components.jpg", .unsupportedFormat),
            ("sof3-lossless.jpg", .unsupportedFormat), ("sof55-jpegls.jpg", .unsupportedFormat),
            ("cgbi.png", .unsupportedFormat), ("html_as.png", .notAnImage), ("plain.svg", .notAnImage),
            ("dnl-height-0.jpg", .malformed), ("empty.jpg", .notAnImage),
        ] as [(String, ImageError.Code)]
    )
    func bombsAndStrangersAreRefused(_ name: String, _ code: ImageError.Code) throws {
        let error = #expect(throws: ImageError.self) { try check(name) }
        #expect(error?.code == code)
        #expect(error?.message.isEmpty == false)
    }

    @Test("The guard accepts allowed formats only")
    func onlyAllowedFormatsPass() throws {
        let limits = ImageLimits(formats: [.jpeg, .png])
        #expect(try check("cat.jpg", limits).header.format == .jpeg)
        let error = #expect(throws: ImageError.self) { try check("plain.gif", limits) }
        #expect(error?.code == .unsupportedFormat)
        #expect(error?.message.contains("JPEG, PNG") == true)
    }

    @Test("The pixel limits of the guard are inclusive")
    func pixelLimitsAreInclusive() throws {
        #expect(try check("cat.jpg", ImageLimits(maxPixels: 960_000)).verdict == .decode)
        let error = #expect(throws: ImageError.self) { try check("cat.jpg", ImageLimits(maxPixels: 959_999)) }
        #expect(error?.code == .tooManyPixels)
        #expect(error?.message.contains("1200x800") == true)
        #expect(try check("cat.jpg", ImageLimits(verifyMaxPixels: 960_000)).verdict == .decode)
        #expect(try check("cat.jpg", ImageLimits(verifyMaxPixels: 959_999)).verdict == .headerOnly)
    }

    @Test("The guard refuses files larger than the limit, which is at most 2 GiB")
    func largeFilesAreRefused() throws {
        let size = Int64(try HeaderFixture.bytes("cat.jpg").count)
        #expect(try check("cat.jpg", ImageLimits(maxFileBytes: size)).byteCount == size)
        let error = #expect(throws: ImageError.self) { try check("cat.jpg", ImageLimits(maxFileBytes: size - 1)) }
        #expect(error?.code == .tooManyBytes)
        #expect(ImageLimits(maxFileBytes: .max).maxFileBytes == 2_147_483_647)
        var limits = ImageLimits()
        limits.maxFileBytes = .max
        #expect(limits.maxFileBytes == 2_147_483_647)
        let header = try check("cat.jpg").header
        #expect(throws: ImageError.self) { try ImageGuard().check(header, byteCount: 1 << 31) }
    }

    @Test("The guard limits the number of scans of a JPEG")
    func theNumberOfScansIsLimited() throws {
        #expect(try check("bomb-200-scans.jpg", ImageLimits(maxJPEGScans: 300)).verdict == .decode)
        #expect(try check("progressive.jpg", ImageLimits(maxJPEGScans: 10)).verdict == .decode)
        #expect(throws: ImageError.self) { try check("progressive.jpg", ImageLimits(maxJPEGScans: 9)) }
        #expect(try check("cat.jpg", ImageLimits(maxJPEGScans: 1)).verdict == .decode)
    }

    /// 311x207 pixels in blocks: 320x224 coefficients for each component, two bytes each.
    private static let progressive = 64_377 * 41 / 10 + 3 * 320 * 224 * 2

    @Test(
        "The guard estimates the memory of a decode by format and size",
        arguments: [
            ("cat.jpg", 960_000 * 41 / 10), ("progressive.jpg", progressive), ("rgb.png", 2752 * 8),
            ("palette.png", 64_377 * 2), ("plain.gif", 4240), ("lossy.webp", 64_377 * 127 / 10),
            ("info24.bmp", 651 * 4),
            ("plain.tif", 2542 * 81 / 10), ("plain.avif", 64_377 * 103 / 10), ("plain.heic", 64_377 * 92 / 10),
        ] as [(String, Int)]
    )
    func theMemoryOfADecodeIsCounted(_ name: String, _ bytes: Int) throws {
        let result = try check(name)
        let memory = ImageGuard.decodeMemory(
            for: result.header,
            byteCount: 1000,
            hasSeveralScans: result.hasSeveralScans
        )
        #expect(memory == Int64(bytes) + 1000)
    }

    @Test(
        "A JPEG with one scan per component counts as having several scans",
        arguments: [(1, false), (3, false), (4, false), (1, true), (3, true), (4, true)]
    )
    func scansOfSingleComponentsAreSeveral(_ components: Int, _ isInterleaved: Bool) throws {
        let builder = JPEGBuilder(components: components, isInterleaved: isInterleaved)
        let result = try ImageGuard().check(ByteBuffer(bytes: builder.bytes()))
        #expect(result.hasSeveralScans == (!isInterleaved && components > 1))
    }

    @Test("Estimating the memory of an impossibly large image does not overflow")
    func theMemoryOfAnImpossibleImageDoesNotTrap() throws {
        let header = try #require(HeaderFixture.ranged(try HeaderFixture.bytes("size-4294967295.tif")).header)
        #expect(ImageGuard.decodeMemory(for: header, byteCount: .max) == .max)
    }
}
