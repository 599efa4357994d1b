import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StorageImages

/// Tests that files made to exhaust a decoder are refused, and cost nothing.
@Suite struct BombTests {
    @Test("A decompression bomb is refused after few bytes with the right code", arguments: Bomb.all)
    func bombsAreRefusedWithTheirCode(_ bomb: Bomb) async throws {
        let bytes = try bomb.make()
        let error = await #expect(throws: ImageError.self) { try await ImageProber.default.probe(bytes: bytes) }
        #expect(error?.code == bomb.code)
        // As a stored file, too, without reading on behind the first chunk.
        let storage = CountingStorage(chunk: 4096)
        let file = try await storage.put(bytes + [UInt8](repeating: 0, count: 1 << 20), "bomb")
        for mode in [ImageProber.Mode.verified, .headerOnly] where mode == .verified || bomb.code == .tooManyPixels {
            let error = await #expect(throws: ImageError.self) { try await ImageProber(mode: mode).probe(file) }
            #expect(error?.code == bomb.code && error?.name == "bomb")
        }
        #expect(storage.counts.bytes < 100_000)
    }

    @Test("An AVIF that claims a wrong size is not decoded")
    func anAVIFThatClaimsAnotherSizeThanItsPixelsIsNotDecoded() async throws {
        let bytes = try Bomb.avif(width: 5000, height: 4000)
        let result = try await ImageProber.default.probe(bytes: bytes)
        #expect(!result.isVerified && result.size == PixelSize(width: 5000, height: 4000))
    }

    @Test("A PNG with 200 MB of compressed text is verified")
    func compressedTextIsNotInflated() async throws {
        let result = try await ImageProber.default.probe(bytes: Bomb.textOf200Megabytes())
        #expect(result.isVerified && result.size == PixelSize(width: 64, height: 64))
    }

    @Test(
        "A truncated AVIF, HEIC, TIFF or BMP is refused or stays unverified",
        arguments: [
            ("plain.avif", 1, nil), ("plain.avif", 10, nil), ("plain.avif", 50, false), ("plain.avif", 99, false),
            ("plain.heic", 1, nil), ("plain.heic", 10, nil), ("plain.heic", 50, nil), ("plain.heic", 99, false),
            ("plain.tif", 1, nil), ("plain.tif", 50, nil), ("plain.tif", 99, nil),
            ("info24.bmp", 1, nil), ("info24.bmp", 10, nil), ("info24.bmp", 50, nil), ("info24.bmp", 99, nil),
        ] as [(String, Int, Bool?)]
    )
    func cutOffImagesOfOtherFormats(_ name: String, _ percent: Int, _ isVerified: Bool?) async throws {
        let whole = try HeaderFixture.bytes(name)
        let bytes = Array(whole.prefix(whole.count * percent / 100))
        do {
            let result = try await ImageProber.default.probe(bytes: bytes)
            // Their pixels are not looked at, whole or not; the result says so.
            #expect(isVerified == false && !result.isVerified)
        } catch let error as ImageError {
            #expect(isVerified == nil && (error.code == .truncated || error.code == .notAnImage), "\(error.code)")
        }
    }

    #if os(Linux)
        @Test(
            "All decompression bombs together take less than 32 MiB",
            .disabled(if: Sanitizer.isOn, "a sanitizer takes memory of its own")
        )
        func allBombsTogetherTakeFewMegabytes() async {
            await #expect(processExitsWith: .success) {
                var files = try Bomb.all.map { ByteBuffer(bytes: try $0.make()) }
                files.append(ByteBuffer(bytes: Bomb.textOf200Megabytes()))
                for name in try HeaderFixture.names() where name.hasPrefix("bomb-") {
                    files.append(ByteBuffer(bytes: try HeaderFixture.bytes(name)))
                }
                // Warm: threads, tables, libgd and its libraries.
                for name in ["cat.jpg", "rgb.png", "plain.gif", "lossy.webp"] {
                    _ = try await ImageProber.default.probe(bytes: try HeaderFixture.bytes(name))
                }
                let before = try ProcessMemory.resident()
                try ProcessMemory.resetPeak()
                for file in files { _ = try? await ImageProber.default.probe(bytes: file) }
                // Unguarded each takes 0.2 to 8.5 GB.
                #expect(try ProcessMemory.peak() - before < 32 << 20)
            }
        }
    #endif
}
