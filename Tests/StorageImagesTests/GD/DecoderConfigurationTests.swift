import StorageImages
import Testing

/// A decoder refuses a configuration that makes no sense, and takes all others.
@Suite struct DecoderConfigurationTests {
    private static func configuration(
        memory: Int64 = 1 << 20,
        maxWaiting: Int = 1,
        waitTimeout: Duration = .seconds(1),
        threads: Int = 1
    ) -> ImageDecoder.Configuration {
        var configuration = ImageDecoder.Configuration()
        configuration.memory = memory
        configuration.maxWaiting = maxWaiting
        configuration.waitTimeout = waitTimeout
        configuration.threads = threads
        return configuration
    }

    @Test(
        "A decoder refuses a value out of range and names its property",
        arguments: [
            ("memory", configuration(memory: 0)), ("memory", configuration(memory: .min)),
            ("maxWaiting", configuration(maxWaiting: -1)), ("maxWaiting", configuration(maxWaiting: .max)),
            ("waitTimeout", configuration(waitTimeout: .zero)),
            ("waitTimeout", configuration(waitTimeout: .seconds(100_000))),
            ("threads", configuration(threads: 0)), ("threads", configuration(threads: 1025)),
        ]
    )
    func aValueThatMakesNoSenseIsRefusedByName(_ property: String, _ configuration: ImageDecoder.Configuration) {
        let error = #expect(throws: ImageError.self) { _ = try ImageDecoder(configuration) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("ImageDecoder.Configuration.\(property) ") == true)
    }

    @Test(
        "A decoder accepts the smallest and the largest values",
        arguments: [configuration(memory: 1), configuration(maxWaiting: 0), configuration(maxWaiting: 1_000_000)]
    )
    func theBoundsThemselvesAreAccepted(_ configuration: ImageDecoder.Configuration) {
        #expect(throws: Never.self) { _ = try ImageDecoder(configuration) }
    }

    @Test("An image that needs more than all memory of its decoder is taken by its header")
    func anImageThatNeedsMoreThanAllTheMemoryIsTakenByItsHeader() async throws {
        let bytes = try HeaderFixture.bytes("cat.jpg")
        var configuration = ImageDecoder.Configuration()
        configuration.memory = 1 << 20
        let small = try await ImageProber(decoder: ImageDecoder(configuration)).probe(bytes: bytes)
        #expect(!small.isVerified && small.size == PixelSize(width: 1200, height: 800))
        configuration.memory = 64 << 20
        #expect(try await ImageProber(decoder: ImageDecoder(configuration)).probe(bytes: bytes).isVerified)
    }
}
