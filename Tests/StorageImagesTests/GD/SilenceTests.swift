import Foundation
import NIOCore
import Testing

@testable import StorageImages

/// Nothing that libgd or a codec says reaches standard error, whatever the bytes are.
@Suite(.serialized) struct SilenceTests {
    /// Runs work with descriptor 2 pointing at a file, and returns what was written there.
    ///
    /// Tests that run at the same time report to standard error, too; their lines begin with a symbol, those of C
    /// libraries with a letter.
    private func captured(_ work: () async throws -> Void) async throws -> [String] {
        let path = FileManager.default.temporaryDirectory.appending(path: "stderr-\(UUID().uuidString)").path
        let file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let original = dup(2)
        try #require(file >= 0 && original >= 0)
        defer {
            close(file)
            close(original)
            unlink(path)
        }
        dup2(file, 2)
        do {
            try await work()
        } catch {
            dup2(original, 2)
            throw error
        }
        dup2(original, 2)
        let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
        // What others reported meanwhile goes where it belongs.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
        return text.split(separator: "\n").map(String.init).filter { line in
            line.range(
                of: "libpng|libjpeg|gd-|gd_|gd:|webp|warning: ",
                options: [.regularExpression, .caseInsensitive]
            ) != nil
                && !line.contains("Test") && !line.contains("Suite")
        }
    }

    @Test func theCaptureHearsLibpng() async throws {
        // Given to libgd as it is, an interlaced PNG makes libpng warn; this is what the other tests must not hear.
        let bytes = ByteBuffer(bytes: try HeaderFixture.bytes("interlaced.png"))
        let heard = try await captured { _ = try GDImage(decoding: bytes, as: .png) }
        #expect(heard == ["libpng warning: Interlace handling should be turned on when using png_read_image"])
    }

    @Test func probingAllFixturesPrintsNothing() async throws {
        let heard = try await captured {
            for name in try HeaderFixture.names() {
                _ = try? await ImageProber.default.probe(bytes: try HeaderFixture.bytes(name))
            }
        }
        #expect(heard == [])
    }

    @Test func oddPNGsPrintNothing() async throws {
        var builders = [
            PNGBuilder(surplus: 65), PNGBuilder(trailing: [1, 2, 3]), PNGBuilder(emptyBlocks: 2000),
            PNGBuilder(width: 1_000_001, height: 1), PNGBuilder(hasEnd: false), PNGBuilder(isInterlaced: true),
            PNGBuilder(before: [("gAMA", [0]), ("iCCP", [1]), ("sRGB", [9]), ("tRNS", [255, 255]), ("PLTE", [1, 2])]),
            PNGBuilder(colorType: 3, before: [("PLTE", [1, 2, 3]), ("tRNS", [1, 2, 3, 4]), ("bKGD", [])]),
            PNGBuilder(hasWrongCRC: true), PNGBuilder(before: [("IHDR", [])]), PNGBuilder(before: [("ABCD", [])]),
        ]
        for split in 1...8 {
            builders.append(PNGBuilder(hasWrongAdler: true, splitsFromEnd: [split]))
            builders.append(
                PNGBuilder(width: 300, height: 300, hasWrongAdler: true, splitsFromEnd: [8200, 4100, split])
            )
            builders.append(PNGBuilder(hasWrongAdler: true, splitsFromEnd: [split], emptyBlocks: 900 * (split - 1)))
        }
        let heard = try await captured {
            for builder in builders {
                _ = try? await ImageProber.default.probe(bytes: builder.bytes(pixel: 200))
            }
        }
        #expect(heard == [])
    }

    @Test func mutatedImagesPrintNothing() async throws {
        var generator = SeededGenerator(seed: 20_261_123)
        let names = [
            "cat.jpg", "progressive.jpg", "cmyk-adobe.jpg", "rgb.png", "palette.png", "interlaced.png", "gray-1bit.png",
            "plain.gif", "animated.gif", "lossy.webp", "lossless.webp", "alpha.webp", "info8.bmp", "rle8.bmp",
        ]
        var decodes = 0
        let heard = try await captured {
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
        }
        #expect(heard == [])
        // The mutations reach the decoders, not only the checks before them.
        #expect(decodes > 100)
    }

    /// The check sums made right again, so that damage gets as far as libpng.
    private func repaired(_ bytes: [UInt8]) -> [UInt8] {
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
