import StorageImages
import Testing

/// A decoder refuses a configuration that makes no sense, and takes all others.
@Suite struct DecoderConfigurationTests {
    typealias Change = @Sendable (inout ImageDecoder.Configuration) -> Void

    @Test(
        arguments: [
            ("memory", { $0.memory = 0 }), ("memory", { $0.memory = .min }),
            ("maxWaiting", { $0.maxWaiting = -1 }), ("maxWaiting", { $0.maxWaiting = .max }),
            ("waitTimeout", { $0.waitTimeout = .zero }), ("waitTimeout", { $0.waitTimeout = .seconds(100_000) }),
            ("threads", { $0.threads = 0 }), ("threads", { $0.threads = 1025 }),
        ] as [(String, Change)]
    )
    func aValueThatMakesNoSenseIsRefusedByName(_ property: String, _ change: Change) {
        var configuration = ImageDecoder.Configuration()
        change(&configuration)
        let error = #expect(throws: ImageError.self) { _ = try ImageDecoder(configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("ImageDecoder.Configuration.\(property) ") == true)
    }

    @Test func theBoundsThemselvesAreAccepted() throws {
        for change in [{ $0.memory = 1 }, { $0.maxWaiting = 0 }, { $0.maxWaiting = 1_000_000 }] as [Change] {
            var configuration = ImageDecoder.Configuration()
            change(&configuration)
            _ = try ImageDecoder(configuration)
        }
    }

    @Test func anImageThatNeedsMoreThanAllTheMemoryIsTakenByItsHeader() async throws {
        let bytes = try HeaderFixture.bytes("cat.jpg")
        var configuration = ImageDecoder.Configuration()
        configuration.memory = 1 << 20
        let small = try await ImageProber(decoder: ImageDecoder(configuration)).probe(bytes: bytes)
        #expect(!small.isVerified && small.size == PixelSize(width: 1200, height: 800))
        configuration.memory = 64 << 20
        #expect(try await ImageProber(decoder: ImageDecoder(configuration)).probe(bytes: bytes).isVerified)
    }
}
