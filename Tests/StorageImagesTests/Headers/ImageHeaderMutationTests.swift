import NIOCore
import StorageImages
import Testing

/// Random damage: whatever the bytes, a header or a typed error, within the bounds.
@Suite struct ImageHeaderMutationTests {
    /// One to eight changes of the sort that break parsers: bits, extreme values, cuts, repeats.
    private static func mutate(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var result = bytes
        for _ in 0..<Int.random(in: 1...8, using: &random) where !result.isEmpty {
            // Most of what matters stands at the beginning.
            let reach = Bool.random(using: &random) ? min(200, result.count) : result.count
            let place = Int.random(in: 0..<reach, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: result[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: result[place] = [0x00, 0x01, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
            case 2: result[place] = UInt8.random(in: 0...255, using: &random)
            case 3:
                for index in place..<min(place + 4, result.count) { result[index] = 0xFF }
            case 4: result.removeSubrange(place..<min(place + Int.random(in: 1...40, using: &random), result.count))
            default:
                let end = min(place + Int.random(in: 1...40, using: &random), result.count)
                result.insert(contentsOf: result[place..<end], at: place)
            }
        }
        if Int.random(in: 0..<8, using: &random) == 0 {
            result.removeLast(Int.random(in: 0...result.count, using: &random))
        }
        return result
    }

    @Test(
        "Parsing five thousand mutated images gives a header or a typed error each time",
        arguments: [UInt64(1), 2, 3, 4]
    )
    func fiveThousandMutationsGiveAHeaderOrATypedError(_ seed: UInt64) throws {
        let seeds = try HeaderFixture.names().map { Array(try HeaderFixture.bytes($0).prefix(6000)) }
        var random = SeededGenerator(seed: seed)
        var headers = 0
        for round in 0..<5000 {
            let bytes = Self.mutate(seeds[round % seeds.count], &random)
            let outcome = HeaderFixture.ranged(bytes, window: 4096)
            #expect(outcome.requests <= 32)
            if let header = outcome.header {
                headers += 1
                #expect(header.codedSize.width > 0 && header.codedSize.height > 0)
                #expect(header.displaySize.width > 0 && header.displaySize.height > 0)
            } else {
                #expect(outcome.code != nil)
            }
            if round % 10 == 0 {
                let streamed = HeaderFixture.streamed(bytes, chunk: Int.random(in: 1...700, using: &random))
                #expect(streamed.header == outcome.header, "seed \(seed), round \(round)")
            }
            if round % 5 == 0 {
                do throws(ImageError) {
                    let result = try ImageGuard().check(ByteBuffer(bytes: bytes))
                    #expect(result.header.codedSize.pixelCount <= 50_000_000)
                } catch {
                    #expect(!error.message.isEmpty)
                }
            }
        }
        // Damage that leaves nothing to parse would prove nothing.
        #expect(headers > 1000)
    }
}
