import NIOCore
import Storages
import Testing

@testable import StorageImages

/// An upload is judged while it passes by.
@Suite struct ImageUploadInspectorTests {
    private func inspect(
        _ bytes: [UInt8],
        chunk: Int = 4096,
        with inspector: ImageUploadInspector = ImageUploadInspector()
    ) async throws -> ImageProbeResult {
        for start in stride(from: 0, to: bytes.count, by: chunk) {
            try inspector.consume(ByteBuffer(bytes: bytes[start..<min(start + chunk, bytes.count)]))
        }
        return try await inspector.finish(byteCount: Int64(bytes.count))
    }

    @Test(
        "Inspecting an upload gives the same result as probing its bytes",
        arguments: ["cat.jpg", "rgb.png", "plain.gif", "lossy.webp", "info24.bmp", "plain.avif", "truncated-50.jpg"]
    )
    func itSaysWhatAProbeOfTheBytesSays(_ name: String) async throws {
        let bytes = try HeaderFixture.bytes(name)
        #expect(try await inspect(bytes) == ImageProber.default.probe(bytes: bytes))
    }

    @Test("An upload of HTML to an image name is refused and leaves no file")
    func anUploadOfTheWrongTypeLeavesNothing() async throws {
        let storage = MemoryStorage()
        let name = try StorageName(validating: "photo.jpg")
        let inspector = ImageUploadInspector()
        var options = UploadOptions()
        options.tap = { try inspector.consume($0) }
        let html = [UInt8]("<html><script>alert(1)</script></html>".utf8)
        let error = await #expect(throws: ImageError.self) {
            try await storage.upload(.bytes(html), to: name, options: options)
        }
        #expect(error?.code == .notAnImage)
        #expect(try await !storage.exists(name))
    }

    @Test("An upload with too many pixels is refused at its first chunk")
    func tooManyPixelsAreRefusedByTheFirstChunk() throws {
        let inspector = ImageUploadInspector()
        let first = ByteBuffer(bytes: try HeaderFixture.bytes("bomb-46340.gif").prefix(32))
        let error = #expect(throws: ImageError.self) { try inspector.consume(first) }
        #expect(error?.code == .tooManyPixels)
        #expect(throws: ImageError.self) { try inspector.consume(ByteBuffer(bytes: [0])) }
    }

    @Test("An upload with damaged pixels is refused at its end")
    func damagedPixelsAreRefusedAtTheEnd() async throws {
        let error = await #expect(throws: ImageError.self) {
            try await inspect(HeaderFixture.bytes("bad-idat-crc.png"))
        }
        #expect(error?.code == .corrupt)
    }

    @Test("An upload over the retention limit is accepted by its header and not retained")
    func aFileOverTheBoundIsTakenByItsHeaderAndNotKept() async throws {
        let retained = RetainedBytes(bound: 1 << 20)
        let inspector = ImageUploadInspector(prober: .default, maxRetained: 100, retained: retained)
        let result = try await inspect(HeaderFixture.bytes("rgb.png"), chunk: 50, with: inspector)
        #expect(!result.isVerified && result.size == PixelSize(width: 64, height: 43))
        #expect(retained.count == 0)
    }

    @Test("Concurrent uploads together retain no more bytes than the limit")
    func allUploadsTogetherKeepNoMoreThanTheBound() async throws {
        let bytes = try HeaderFixture.bytes("rgb.png")
        let retained = RetainedBytes(bound: bytes.count * 3 / 2)
        let first = ImageUploadInspector(prober: .default, maxRetained: .max, retained: retained)
        let second = ImageUploadInspector(prober: .default, maxRetained: .max, retained: retained)
        try first.consume(ByteBuffer(bytes: bytes))
        try second.consume(ByteBuffer(bytes: bytes))
        #expect(retained.count == bytes.count)
        #expect(try await second.finish(byteCount: Int64(bytes.count)).isVerified == false)
        #expect(try await first.finish(byteCount: Int64(bytes.count)).isVerified)
        #expect(retained.count == 0)
    }

    @Test("An abandoned upload frees its retained bytes")
    func anAbandonedUploadGivesItsShareBack() throws {
        let retained = RetainedBytes(bound: 1 << 20)
        do {
            let inspector = ImageUploadInspector(prober: .default, maxRetained: .max, retained: retained)
            try inspector.consume(ByteBuffer(bytes: try HeaderFixture.bytes("rgb.png")))
            #expect(retained.count > 0)
        }
        #expect(retained.count == 0)
    }

    @Test("An upload is refused if its byte count differs from the inspected bytes")
    func bytesThatWereNotSeenAreNotVouchedFor() async throws {
        let bytes = try HeaderFixture.bytes("rgb.png")
        let inspector = ImageUploadInspector()
        try inspector.consume(ByteBuffer(bytes: bytes))
        let error = await #expect(throws: ImageError.self) {
            try await inspector.finish(byteCount: Int64(bytes.count) + 1)
        }
        #expect(error?.code == .corrupt)
    }

    @Test("An empty upload is not an image")
    func nothingAtAllIsNoImage() async throws {
        await #expect(throws: ImageError.self) { try await ImageUploadInspector().finish(byteCount: 0) }
    }
}

/// Tests of the requirements that a field may have for an image.
@Suite struct ImageRulesTests {
    private static let image = ImageProbeResult(
        size: PixelSize(width: 300, height: 200),
        codedSize: PixelSize(width: 300, height: 200),
        format: .jpeg,
        isVerified: true
    )

    @Test(
        "An image that meets the rules of its field is accepted",
        arguments: [
            ImageRules(), ImageRules(formats: [.jpeg, .png]), ImageRules(minSize: PixelSize(width: 300, height: 200)),
            ImageRules(maxSize: PixelSize(width: 300, height: 200)), ImageRules(maxPixels: 60_000),
            ImageRules(aspectRatio: 1.5...1.5),
        ]
    )
    func whatKeepsTheRulesPasses(_ rules: ImageRules) throws {
        try rules.check(Self.image)
    }

    @Test(
        "An image that violates a rule of its field is refused with the right code",
        arguments: [
            (ImageRules(formats: [.png]), ImageError.Code.wrongType),
            (ImageRules(minSize: PixelSize(width: 301, height: 1)), .invalidSize),
            (ImageRules(minSize: PixelSize(width: 1, height: 201)), .invalidSize),
            (ImageRules(maxSize: PixelSize(width: 299, height: 999)), .invalidSize),
            (ImageRules(maxSize: PixelSize(width: 999, height: 199)), .invalidSize),
            (ImageRules(maxPixels: 59_999), .tooManyPixels),
            (ImageRules(aspectRatio: 0.5...1.4), .invalidSize),
            (ImageRules(aspectRatio: 1.6...3), .invalidSize),
        ]
    )
    func whatBreaksARuleIsRefusedWithItsCode(_ rules: ImageRules, _ code: ImageError.Code) {
        let error = #expect(throws: ImageError.self) { try rules.check(Self.image) }
        #expect(error?.code == code)
    }
}
