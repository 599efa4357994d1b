import Testing

@testable import StorageImages
@testable import Storages

/// `ContentType` and `ImageHeaderParser` take the same bytes for the same format.
@Suite struct ImageTypeTests {
    /// The format that the parser of headers recognizes in some bytes.
    private enum Recognition: Equatable {
        case image(ContentType)
        /// An image whose header is broken, or whose format is not read here.
        case otherImage
        case nothing
    }

    private func recognition(of bytes: [UInt8]) -> Recognition {
        let outcome = HeaderFixture.ranged(bytes)
        if let header = outcome.header { return .image(header.format.contentType) }
        return outcome.code == .notAnImage ? .nothing : .otherImage
    }

    /// Compares the two ways to recognise bytes, and what the parser does with them in pieces.
    private func expectAgreement(on bytes: [UInt8], _ comment: Comment) {
        let sniffed = ContentType(sniffing: bytes)
        switch recognition(of: bytes) {
        case .image(let type): #expect(sniffed == type, comment)
        case .otherImage: #expect(sniffed.isImage && sniffed != .svg, comment)
        case .nothing: #expect(!sniffed.isImage || sniffed == .svg, comment)
        }
    }

    @Test func everyFixtureIsOfTheSameTypeBothWays() throws {
        for name in try HeaderFixture.names() {
            expectAgreement(on: try HeaderFixture.bytes(name), "\(name)")
        }
    }

    @Test func everyBeginningOfAFixtureIsOfTheSameTypeBothWays() throws {
        for name in try HeaderFixture.names() {
            let bytes = try HeaderFixture.bytes(name)
            for count in 0...64 { expectAgreement(on: Array(bytes.prefix(count)), "\(count) bytes of \(name)") }
        }
    }

    @Test func everyDamagedBeginningIsOfTheSameTypeBothWays() throws {
        var random = SeededGenerator(seed: 9)
        for name in try HeaderFixture.names() {
            let bytes = Array(try HeaderFixture.bytes(name).prefix(256))
            guard !bytes.isEmpty else { continue }
            for _ in 0..<100 {
                var damaged = bytes
                let index = Int.random(in: 0..<min(40, bytes.count), using: &random)
                damaged[index] = UInt8.random(in: .min ... .max, using: &random)
                expectAgreement(on: damaged, "\(name) with \(damaged[index]) at \(index)")
            }
        }
    }

    @Test(arguments: ImageType.allCases) func everySignatureOfTheTableIsRecognisedBothWays(_ type: ImageType) {
        for signature in type.row.signatures {
            for head in beginnings(of: signature) {
                let bytes = head + [UInt8](repeating: 0, count: 64)
                #expect(ContentType(sniffing: bytes) == type.contentType, "\(head)")
                #expect(ImageType(sniffing: bytes.span) == type, "\(head)")
                #expect(recognition(of: bytes) != .nothing, "\(head)")
            }
        }
    }

    private func beginnings(of signature: ImageType.Signature) -> [[UInt8]] {
        switch signature {
        case .bytes(let pattern): [pattern.map { $0 ?? 0x20 }]
        case .bitmapHeader: [12, 16, 40, 52, 56, 64, 108, 124].map { bitmap(headerLength: $0) }
        case .brands(let brands):
            brands.map { fileType(major: $0, "mp41") } + brands.map { fileType(major: "isom", $0) }
        }
    }

    private func bitmap(headerLength: UInt32) -> [UInt8] {
        let length = (0..<4).map { UInt8(truncatingIfNeeded: headerLength >> (8 * $0)) }
        return Array("BM".utf8) + [UInt8](repeating: 0, count: 12) + length
    }

    private func fileType(major: String, _ compatible: String...) -> [UInt8] {
        let brands = Array(compatible.joined().utf8)
        return [0, 0, 0, UInt8(16 + brands.count)] + Array("ftyp\(major)\0\0\0\0".utf8) + brands
    }

    @Test func everyFormatHasTheTypeAndTheExtensionsOfItsRow() {
        for format in ImageFormat.allCases {
            #expect(ImageFormat(format.type) == format)
            #expect(format.contentType == format.type.contentType && format.contentType.isImage)
            for name in format.type.row.extensions {
                #expect(ContentType(fileExtension: name) == format.contentType, "\(name)")
            }
        }
        #expect(Set(ImageFormat.allCases.map(\.type)).union([.jxl]) == Set(ImageType.allCases))
        #expect(ImageFormat.ico.contentType == "image/vnd.microsoft.icon")
        #expect(ImageFormat.ico.contentType.preferredExtension == "ico")
    }

    @Test(arguments: [13, 15, 65, 107, 109, 125, 1024]) func aBitmapHasAHeaderOfAKnownLength(_ length: UInt32) {
        let bytes = bitmap(headerLength: length) + [UInt8](repeating: 0, count: 64)
        #expect(ContentType(sniffing: bytes) == .octetStream)
        #expect(recognition(of: bytes) == .nothing)
    }

    @Test(
        arguments: [
            (["avif", "mif1", "miaf"], .avif), (["mif1", "avif"], .avif), (["avis", "msf1"], .avif),
            (["heic", "mif1"], .heic), (["mif1", "heix"], .heic), (["hevc", "msf1"], .heic), (["hevx"], .heic),
            (["mif1", "avif", "heic"], .avif), (["mif1"], "image/heif"), (["msf1", "iso8"], "image/heif"),
            (["isom", "mp42"], .mp4), (["qt  "], .quickTime), (["M4A ", "isom"], .m4a), (["crx ", "isom"], .mp4),
        ] as [([String], ContentType)]
    )
    func theBrandsTellTheFormatOfAnISOMediaFile(_ brands: [String], _ expected: ContentType) throws {
        var bytes = try HeaderFixture.bytes("plain.heic")
        let length = Int(bytes[3])
        let box = [UInt8(0), 0, 0, UInt8(12 + 4 * brands.count)] + Array("ftyp\(brands[0])\0\0\0\0".utf8)
        bytes.replaceSubrange(0..<length, with: box + Array(brands.dropFirst().joined().utf8))
        // A box of 16 bytes at least is read: the major brand alone is repeated among the compatible ones.
        if brands.count == 1 {
            bytes[3] = 20
            bytes.insert(contentsOf: Array(brands[0].utf8), at: 16)
        }
        #expect(ContentType(sniffing: bytes) == expected)
        #expect(recognition(of: bytes) == (expected.isImage ? .image(expected) : .nothing))
    }

    @Test func aFileOfJPEGXLIsAnImageThatIsNotReadHere() {
        let bytes: [UInt8] = [0, 0, 0, 12, 0x4A, 0x58, 0x4C, 0x20, 0x0D, 0x0A, 0x87, 0x0A, 0, 0, 0, 20, 0x66, 0x74]
        #expect(ContentType(sniffing: bytes) == "image/jxl")
        #expect(HeaderFixture.ranged(bytes).code == .unsupportedFormat)
    }
}
