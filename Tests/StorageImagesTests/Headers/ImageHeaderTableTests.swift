import StorageImages
import Testing

/// Tests of the header of every image of the folder.
@Suite struct ImageHeaderTableTests {
    static let headers: [(name: String, summary: String)] = [
        ("cat.jpg", "jpeg 1200x800 up 1200x800"),
        ("portrait-exif6.jpg", "jpeg 600x450 right 450x600"),
        ("32x16.png", "png 32x16 up 32x16"),
        ("exif-none.jpg", "jpeg 311x207 up 311x207"),
        ("exif-1.jpg", "jpeg 311x207 up 311x207"),
        ("exif-2.jpg", "jpeg 311x207 upMirrored 311x207"),
        ("exif-3.jpg", "jpeg 311x207 down 311x207"),
        ("exif-4.jpg", "jpeg 311x207 downMirrored 311x207"),
        ("exif-5.jpg", "jpeg 311x207 leftMirrored 207x311"),
        ("exif-6.jpg", "jpeg 311x207 right 207x311"),
        ("exif-7.jpg", "jpeg 311x207 rightMirrored 207x311"),
        ("exif-8.jpg", "jpeg 311x207 left 207x311"),
        ("exif-invalid-9.jpg", "jpeg 311x207 up 311x207"),
        ("exif-two-first-wins.jpg", "jpeg 311x207 right 207x311"),
        ("exif-thumbnail-sof.jpg", "jpeg 311x207 right 207x311"),
        ("exif-ifd-outside.jpg", "jpeg 311x207 up 311x207"),
        ("progressive.jpg", "jpeg 311x207 up 311x207"),
        ("gray.jpg", "jpeg 311x207 up 311x207"),
        ("cmyk-adobe.jpg", "jpeg 311x207 up 311x207"),
        ("fill-bytes.jpg", "jpeg 311x207 up 311x207"),
        ("garbage.jpg", "jpeg 311x207 up 311x207"),
        ("segment-length-0.jpg", "jpeg 311x207 up 311x207"),
        ("segment-length-1.jpg", "jpeg 311x207 up 311x207"),
        ("precision-12.jpg", "jpeg 311x207 up 311x207"),
        ("sof3-lossless.jpg", "jpeg 311x207 up 311x207"),
        ("sof55-jpegls.jpg", "jpeg 311x207 up 311x207"),
        ("trailing-zip.jpg", "jpeg 311x207 up 311x207"),
        ("truncated-10.jpg", "jpeg 311x207 up 311x207"),
        ("truncated-99.jpg", "jpeg 311x207 up 311x207"),
        ("palette.png", "png 311x207 up 311x207"),
        ("gray-1bit.png", "png 311x207 up 311x207"),
        ("rgb16.png", "png 31x20 up 31x20"),
        ("interlaced.png", "png 8x8 up 8x8"),
        ("animated.png", "png 64x43 up 64x43 animated"),
        ("exif-3.png", "png 311x207 down 311x207"),
        ("exif-6.png", "png 311x207 right 207x311"),
        ("exif-6-after-idat.png", "png 311x207 up 311x207"),
        ("cgbi.png", "png 311x207 up 311x207"),
        ("bad-ihdr-crc.png", "png 311x207 up 311x207"),
        ("ztxt-before-idat.png", "png 64x43 up 64x43"),
        ("plain.gif", "gif 80x53 up 80x53"),
        ("frame-smaller.gif", "gif 100x80 up 100x80"),
        ("frame-outside.gif", "gif 20x20 up 20x20"),
        ("gif-and-javascript.gif", "gif 80x53 up 80x53"),
        ("lossy.webp", "webp 311x207 up 311x207"),
        ("lossless.webp", "webp 64x43 up 64x43"),
        ("alpha.webp", "webp 64x43 up 64x43"),
        ("animated.webp", "webp 64x43 up 64x43 animated"),
        ("exif-6-ignored.webp", "webp 311x207 up 311x207"),
        ("scale-bits.webp", "webp 311x207 up 311x207"),
        ("vp8x-only.webp", "webp 1000x500 up 1000x500"),
        ("info24.bmp", "bmp 31x21 up 31x21"),
        ("info1.bmp", "bmp 31x21 up 31x21"),
        ("topdown.bmp", "bmp 31x21 up 31x21"),
        ("core12.bmp", "bmp 31x21 up 31x21"),
        ("info16.bmp", "bmp 31x21 up 31x21"),
        ("os2-64.bmp", "bmp 31x21 up 31x21"),
        ("v4.bmp", "bmp 31x21 up 31x21"),
        ("v5-rgba-bitfields.bmp", "bmp 31x21 up 31x21"),
        ("bitfields-565.bmp", "bmp 31x21 up 31x21"),
        ("plain.tif", "tiff 62x41 up 62x41"),
        ("little.tif", "tiff 31x20 up 31x20"),
        ("big-endian.tif", "tiff 31x20 up 31x20"),
        ("exif-6.tif", "tiff 31x20 right 20x31"),
        ("bigtiff-little.tif", "tiff 31x20 up 31x20"),
        ("bigtiff-big-endian.tif", "tiff 31x20 left 20x31"),
        ("ifd-at-end.tif", "tiff 31x20 down 31x20"),
        ("size-4294967295.tif", "tiff 4294967295x4294967295 up 4294967295x4294967295"),
        ("plain.avif", "avif 311x207 up 311x207"),
        // The encoder turned the EXIF orientation into irot.
        ("exif-6.avif", "avif 311x207 right 207x311"),
        ("animated.avif", "avif 64x43 up 64x43 animated"),
        ("ispe-huge.avif", "avif 2147483648x2147483648 up 2147483648x2147483648"),
        ("plain.heic", "heic 311x207 up 311x207"),
        ("irot-0.heic", "heic 311x207 up 311x207"),
        ("irot-1.heic", "heic 311x207 left 207x311"),
        ("irot-2.heic", "heic 311x207 down 311x207"),
        ("irot-3.heic", "heic 311x207 right 207x311"),
        ("imir-1.heic", "heic 311x207 upMirrored 311x207"),
        ("irot-1-imir-0.heic", "heic 311x207 leftMirrored 207x311"),
        ("clap-irot-3.heic", "heic 311x207 right 200x300"),
        ("grid.heic", "heic 4032x3024 up 4032x3024"),
        ("meta-after-mdat.heic", "heic 311x207 up 311x207"),
        ("sequence-moov.heic", "heic 320x180 up 320x180 animated"),
        ("plain.ico", "ico 48x32 up 48x32"),
        ("plain.cur", "cur 32x21 up 32x21"),
        ("plain.psd", "psd 311x207 up 311x207"),
        ("plain.psb", "psd 50000x40000 up 50000x40000"),
        ("bomb-46340.jpg", "jpeg 46340x46340 up 46340x46340"),
        ("bomb-16383.webp", "webp 16383x16383 up 16383x16383"),
        ("bomb-46340.gif", "gif 46340x46340 up 46340x46340"),
    ]

    static let refusals: [(name: String, code: ImageError.Code)] = [
        ("dnl-height-0.jpg", .malformed),
        ("eoi-first.jpg", .malformed),
        ("truncated-1.jpg", .truncated),
        ("truncated-1.png", .truncated),
        ("truncated-1.gif", .truncated),
        ("truncated-1.webp", .truncated),
        ("text-before-ihdr.png", .malformed),
        ("bad-depth.png", .malformed),
        ("width-0.png", .malformed),
        ("width-2147483648.png", .malformed),
        ("html-behind-signature.png", .malformed),
        ("bomb-chunk-2g.png", .corrupt),
        ("screen-0.gif", .malformed),
        ("negative-width.bmp", .malformed),
        ("text-BM.bmp", .notAnImage),
        ("no-ispe.heic", .malformed),
        ("movie.mp4.heic", .notAnImage),
        ("box-length-4g.avif", .truncated),
        ("html_as.png", .notAnImage),
        ("plain.svg", .notAnImage),
        ("bare.svg", .notAnImage),
        ("notes.txt", .notAnImage),
        ("archive.zip", .notAnImage),
        ("empty.jpg", .notAnImage),
    ]

    @Test("The header of each image fixture gives its format, size and orientation", arguments: headers)
    func theHeaderOfEveryKindIsRead(_ name: String, _ summary: String) throws {
        #expect(HeaderFixture.ranged(try HeaderFixture.bytes(name)).summary == summary)
    }

    @Test(arguments: refusals) func everyBrokenHeaderIsRefusedWithItsCode(_ name: String, _ code: ImageError.Code)
        throws
    {
        let outcome = HeaderFixture.ranged(try HeaderFixture.bytes(name))
        #expect(outcome.header == nil)
        #expect(outcome.code == code)
    }

    @Test(
        "The header of an image gives its details, bit depth and channels",
        arguments: [
            ("cat.jpg", ImageHeader.Details.jpeg(startOfFrame: 0xC0), 8, 3),
            ("progressive.jpg", .jpeg(startOfFrame: 0xC2), 8, 3),
            ("gray.jpg", .jpeg(startOfFrame: 0xC0), 8, 1),
            ("cmyk-adobe.jpg", .jpeg(startOfFrame: 0xC0), 8, 4),
            ("precision-12.jpg", .jpeg(startOfFrame: 0xC0), 12, 3),
            ("sof3-lossless.jpg", .jpeg(startOfFrame: 0xC3), 8, 3),
            ("sof55-jpegls.jpg", .jpeg(startOfFrame: 0xF7), 8, 3),
            ("palette.png", .png(colorType: 3, isInterlaced: false, isCgBI: false), 4, 1),
            ("rgba.png", .png(colorType: 6, isInterlaced: false, isCgBI: false), 8, 4),
            ("rgb16.png", .png(colorType: 2, isInterlaced: false, isCgBI: false), 16, 3),
            ("interlaced.png", .png(colorType: 0, isInterlaced: true, isCgBI: false), 1, 1),
            ("cgbi.png", .png(colorType: 3, isInterlaced: false, isCgBI: true), 4, 1),
            ("lossy.webp", .webp(.lossy), 8, 3),
            ("lossless.webp", .webp(.lossless), 8, 3),
            ("vp8x-only.webp", .webp(.extended), 8, 3),
            ("core12.bmp", .bmp(headerSize: 12, bitsPerPixel: 24, compression: 0), 8, 3),
            ("info1.bmp", .bmp(headerSize: 40, bitsPerPixel: 1, compression: 0), 1, 1),
            ("rle8.bmp", .bmp(headerSize: 40, bitsPerPixel: 8, compression: 1), 8, 1),
            ("v5-rgba-bitfields.bmp", .bmp(headerSize: 124, bitsPerPixel: 32, compression: 3), 8, 4),
            ("little.tif", .none, 8, 1),
            ("plain.psb", .none, 16, 4),
        ] as [(String, ImageHeader.Details, Int, Int)]
    )
    func depthChannelsAndDetails(_ name: String, _ details: ImageHeader.Details, _ bits: Int, _ channels: Int) throws {
        let header = try #require(HeaderFixture.ranged(try HeaderFixture.bytes(name)).header)
        #expect(header.details == details)
        #expect(header.bitsPerSample == bits)
        #expect(header.channels == channels)
    }

    @Test("The header of a JPEG tells progressive from baseline")
    func progressiveIsToldFromBaseline() throws {
        let progressive = try #require(HeaderFixture.ranged(try HeaderFixture.bytes("progressive.jpg")).header)
        let baseline = try #require(HeaderFixture.ranged(try HeaderFixture.bytes("cat.jpg")).header)
        #expect(progressive.isProgressive)
        #expect(!baseline.isProgressive)
    }

    @Test(
        "The error about a file that is not an image says what it is instead",
        arguments: [
            ("plain.svg", "SVG"), ("bare.svg", "SVG"), ("html_as.png", "HTML"), ("notes.txt", "text"),
            ("archive.zip", "ZIP"), ("empty.jpg", "empty"), ("movie.mp4.heic", "movie"),
        ]
    )
    func theMessageSaysWhatTheFileIsInstead(_ name: String, _ word: String) throws {
        let bytes = try HeaderFixture.bytes(name)
        var parser = ImageHeaderParser()
        let error = #expect(throws: ImageError.self) {
            _ = try parser.parse(bytes, at: 0, totalSize: Int64(bytes.count))
        }
        #expect(error?.code == .notAnImage)
        #expect(error?.message.contains(word) == true)
    }

    @Test("The header parser reads no more bytes than the header has")
    func noMoreThanTheHeaderIsLookedAt() throws {
        let header = try #require(HeaderFixture.ranged(try HeaderFixture.bytes("cat.jpg")).header)
        #expect(header.bytesRead < 200)
        let png = try #require(HeaderFixture.ranged(try HeaderFixture.bytes("32x16.png")).header)
        #expect(png.bytesRead < 64)
    }

    @Test("The pixel count of impossibly long sides does not overflow")
    func theProductOfImpossibleSidesDoesNotTrap() {
        #expect(PixelSize(width: 4_294_967_295, height: 4_294_967_295).pixelCount == Int.max)
        #expect(PixelSize(width: 1200, height: 800).pixelCount == 960_000)
        #expect(PixelSize(width: 3, height: 2).transposed == PixelSize(width: 2, height: 3))
    }
}
