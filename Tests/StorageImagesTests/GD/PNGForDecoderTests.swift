import NIOCore
import Testing

@testable import StorageImages

/// Tests of what reaches libpng, and what is judged before.
@Suite struct PNGForDecoderTests {
    private enum Outcome: Equatable {
        case decoded, undecidable
        case refused(ImageError.Code)
    }

    private func outcome(_ builder: PNGBuilder) async throws -> Outcome {
        do {
            let result = try await ImageProber.default.probe(bytes: builder.bytes())
            #expect(result.size == PixelSize(width: builder.width, height: builder.height))
            return result.isVerified ? .decoded : .undecidable
        } catch let error as ImageError {
            return .refused(error.code)
        }
    }

    @Test("A valid PNG is decoded")
    func soundImagesAreDecoded() async throws {
        #expect(try await outcome(PNGBuilder()) == .decoded)
        #expect(try await outcome(PNGBuilder(width: 300, height: 300)) == .decoded)
        #expect(try await outcome(PNGBuilder(splitsFromEnd: [3000, 2000, 5, 3, 1])) == .decoded)
        #expect(try await outcome(PNGBuilder(before: [("gAMA", [0]), ("tEXt", [1, 2]), ("sRGB", [9])])) == .decoded)
    }

    @Test("An interlaced PNG of any shape is decoded", arguments: [1, 2, 3, 4, 5, 7, 8, 9, 16, 65])
    func interlacedImagesOfAllShapesAreDecoded(_ width: Int) async throws {
        for height in [1, 2, 3, 4, 5, 6, 8, 9, 33] {
            #expect(try await outcome(PNGBuilder(width: width, height: height, isInterlaced: true)) == .decoded)
        }
    }

    @Test("A PNG with bytes after its zlib stream is decoded")
    func bytesBehindTheStreamAreNoHarm() async throws {
        #expect(try await outcome(PNGBuilder(trailing: [1, 2, 3])) == .decoded)
        #expect(try await outcome(PNGBuilder(isInterlaced: true, trailing: [1, 2, 3])) == .decoded)
    }

    @Test("A PNG that libpng would warn about is accepted by its header only")
    func whatCannotBeDecodedSilentlyIsTakenByItsHeader() async throws {
        #expect(try await outcome(PNGBuilder(surplus: 65)) == .undecidable)
        #expect(try await outcome(PNGBuilder(isInterlaced: true, surplus: 1)) == .undecidable)
        #expect(try await outcome(PNGBuilder(emptyBlocks: 2000)) == .undecidable)
        #expect(try await outcome(PNGBuilder(width: 1_000_001, height: 1)) == .undecidable)
    }

    @Test("A PNG with too many empty blocks is accepted by its header only")
    func aStreamOfBlocksThatOnlyCostTimeIsNotScanned() async throws {
        var blocks = DeflateWriter()
        for _ in 0..<4 * 500 { blocks.emptyFixedBlock() }
        // Four of them are five bytes; before the pixels, so that libpng would decode the image in the end.
        #expect(try await outcome(PNGBuilder(leading: blocks.bytes)) == .undecidable)
        #expect(try await outcome(PNGBuilder(isInterlaced: true, leading: blocks.bytes)) == .undecidable)
        let empty = PNGBuilder.stored([], isLast: false)
        #expect(try await outcome(PNGBuilder(leading: Array(repeatElement(empty, count: 1000).joined()))) == .decoded)
        let long = Array(repeatElement(empty, count: 16_000).joined())
        #expect(try await outcome(PNGBuilder(leading: long)) == .undecidable)
        #expect(try await outcome(PNGBuilder(isInterlaced: true, leading: long)) == .undecidable)
    }

    @Test("Damage in any part of a PNG is found")
    func damageIsFoundWhereverItIs() async throws {
        #expect(try await outcome(PNGBuilder(hasWrongAdler: true)) == .refused(.corrupt))
        // libpng would only warn of these: the check value comes in a chunk of its own.
        #expect(try await outcome(PNGBuilder(hasWrongAdler: true, splitsFromEnd: [4])) == .refused(.corrupt))
        #expect(try await outcome(PNGBuilder(hasWrongAdler: true, splitsFromEnd: [2])) == .refused(.corrupt))
        #expect(try await outcome(PNGBuilder(isInterlaced: true, hasWrongAdler: true)) == .refused(.corrupt))
        #expect(try await outcome(PNGBuilder(hasWrongCRC: true)) == .refused(.corrupt))
        #expect(try await outcome(PNGBuilder(hasEnd: false)) == .refused(.truncated))
        #expect(try await outcome(PNGBuilder(before: [("ABCD", [])])) == .refused(.malformed))
    }

    @Test("A PNG palette that is too short for its pixels is extended before decoding")
    func aPaletteTooShortForAnIndexIsFilledUp() throws {
        let file = PNGBuilder(colorType: 3, before: [("PLTE", [1, 2, 3])]).bytes(pixel: 200)
        guard case .decode(let parts) = try PNGForDecoder.plan(ByteBuffer(bytes: file)) else {
            Issue.record("not decodable")
            return
        }
        let image = try GDImage(decoding: parts[0].file, as: .png)
        #expect(image.size == PixelSize(width: 64, height: 64))
        #expect(image.report == .init())
    }

    @Test("A PNG with a missing or incomplete palette is refused")
    func aPaletteMustBeThereAndWhole() async throws {
        #expect(try await outcome(PNGBuilder(colorType: 3)) == .refused(.malformed))
        #expect(try await outcome(PNGBuilder(colorType: 3, before: [("PLTE", [1, 2])])) == .refused(.malformed))
    }
}
