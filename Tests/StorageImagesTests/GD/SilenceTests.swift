import Foundation
import NIOCore
import Testing

@testable import StorageImages

#if os(Linux)
    /// Nothing that libgd or a codec says reaches standard error, whatever the bytes are.
    ///
    /// Each test has a process of its own: its standard error is what is looked at.
    @Suite struct SilenceTests {
        /// Returns what a process wrote to standard error.
        private func heard(_ result: ExitTest.Result?) throws -> String {
            String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        }

        @Test("A warning of libpng reaches the captured standard error")
        func theCaptureHearsLibpng() async throws {
            // Given to libgd as it is, an interlaced PNG makes libpng warn; this is what the other tests must not hear.
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                let bytes = ByteBuffer(bytes: try HeaderFixture.bytes("interlaced.png"))
                _ = try GDImage(decoding: bytes, as: .png)
            }
            let warning = "libpng warning: Interlace handling should be turned on when using png_read_image\n"
            #expect(try heard(result) == warning)
        }

        @Test("Probing all fixtures prints nothing to standard error")
        func probingAllFixturesPrintsNothing() async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                for name in try HeaderFixture.names() {
                    _ = try? await ImageProber.default.probe(bytes: try HeaderFixture.bytes(name))
                }
            }
            #expect(try heard(result) == "")
        }

        @Test("Probing odd PNGs prints nothing to standard error")
        func oddPNGsPrintNothing() async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                for builder in SilenceTests.oddPNGs() {
                    _ = try? await ImageProber.default.probe(bytes: builder.bytes(pixel: 200))
                }
            }
            #expect(try heard(result) == "")
        }

        @Test("Probing mutated images prints nothing to standard error")
        func mutatedImagesPrintNothing() async throws {
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                let decodes = try await SilenceTests.probeMutatedImages()
                // The mutations reach the decoders, not only the checks before them.
                #expect(decodes > 100)
            }
            #expect(try heard(result) == "")
        }

        private static func oddPNGs() -> [PNGBuilder] {
            var builders = [
                PNGBuilder(surplus: 65), PNGBuilder(trailing: [1, 2, 3]), PNGBuilder(emptyBlocks: 2000),
                PNGBuilder(width: 1_000_001, height: 1), PNGBuilder(hasEnd: false), PNGBuilder(isInterlaced: true),
                PNGBuilder(before: [
                    ("gAMA", [0]), ("iCCP", [1]), ("sRGB", [9]), ("tRNS", [255, 255]), ("PLTE", [1, 2]),
                ]),
                PNGBuilder(colorType: 3, before: [("PLTE", [1, 2, 3]), ("tRNS", [1, 2, 3, 4]), ("bKGD", [])]),
                PNGBuilder(hasWrongCRC: true), PNGBuilder(before: [("IHDR", [])]), PNGBuilder(before: [("ABCD", [])]),
            ]
            for split in 1...8 {
                builders.append(PNGBuilder(hasWrongAdler: true, splitsFromEnd: [split]))
                builders.append(
                    PNGBuilder(width: 300, height: 300, hasWrongAdler: true, splitsFromEnd: [8200, 4100, split])
                )
                builders.append(
                    PNGBuilder(hasWrongAdler: true, splitsFromEnd: [split], emptyBlocks: 900 * (split - 1))
                )
            }
            return builders
        }

        /// Returns how many of them were decoded.
        private static func probeMutatedImages() async throws -> Int {
            var generator = SeededGenerator(seed: 20_261_123)
            let names = [
                "cat.jpg", "progressive.jpg", "cmyk-adobe.jpg", "rgb.png", "palette.png", "interlaced.png",
                "gray-1bit.png", "plain.gif", "animated.gif", "lossy.webp", "lossless.webp", "alpha.webp", "info8.bmp",
                "rle8.bmp",
            ]
            var decodes = 0
            for name in names {
                let original = try HeaderFixture.bytes(name)
                for _ in 0..<40 {
                    var bytes = original
                    for _ in 0..<Int.random(in: 1...4, using: &generator) {
                        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
                            in: 0...255,
                            using: &generator
                        )
                    }
                    if name.hasSuffix("png") { bytes = repaired(bytes) }
                    if let result = try? await ImageProber.default.probe(bytes: bytes), result.isVerified {
                        decodes += 1
                    }
                }
            }
            return decodes
        }

        /// The check sums made right again, so that damage gets as far as libpng.
        private static func repaired(_ bytes: [UInt8]) -> [UInt8] {
            var bytes = bytes
            var offset = 8
            while offset + 12 <= bytes.count {
                let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
                guard length <= bytes.count - offset - 12 else { break }
                let crc = bytes[(offset + 4)..<(offset + 8 + length)].withUnsafeBytes { CRC32.checksum($0) }
                bytes.replaceSubrange(offset + 8 + length..<offset + 12 + length, with: PNGBuilder.bigEndian(crc))
                offset += 12 + length
            }
            return bytes
        }
    }
#endif
