import NIOCore
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Checksums")
struct ChecksumTests {
    @Test(
        "Checksums have the published values",
        arguments: [
            (.crc32, "y/Q5Jg==", "AAAAAA=="), (.crc32c, "4waSgw==", "AAAAAA=="),
            (.crc64nvme, "rosUhgp5mIg=", "AAAAAAAAAAA="),
            (.md5, "JfnnlDI7RTiF9RgfG2JNCw==", "1B2M2Y8AsgTpgAmY7PhCfg=="),
            (.sha256, "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
        ] as [(ChecksumAlgorithm, String, String)]
    )
    func values(algorithm: ChecksumAlgorithm, digits: String, empty: String) throws {
        #expect(try Checksum.value(algorithm, of: HTTPBody("123456789")).base64 == digits)
        #expect(try Checksum.value(algorithm, of: HTTPBody()).base64 == empty)
    }

    private static let data: [UInt8] = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 * 7 + $0 / 256) }

    @Test("Checksums of long input agree with those of other implementations")
    func long() {
        Self.data.withUnsafeBytes { bytes in
            var crc32 = CyclicRedundancyCheck<UInt32>.crc32
            var crc32c = CyclicRedundancyCheck<UInt32>.crc32c
            var crc64 = CyclicRedundancyCheck<UInt64>.crc64nvme
            crc32.update(bytes)
            crc32c.update(bytes)
            crc64.update(bytes)
            // From zlib, and from two loops in Python.
            #expect(crc32.value == 0xE72B_DDC1)
            #expect(crc32c.value == 0x60F0_C5BD)
            #expect(crc64.value == 0x6C68_AD1A_69C9_8484)
        }
    }

    @Test("A checksum does not depend on how the bytes are split or aligned", arguments: ChecksumAlgorithm.allCases)
    func cuts(algorithm: ChecksumAlgorithm) throws {
        let whole = try Checksum.value(algorithm, of: HTTPBody(ByteBuffer(bytes: Self.data)))
        for sizes in [[1], [15, 1], [16], [17], [3, 64, 7], [4096, 1]] {
            var body = HTTPBody()
            var offset = 0
            var index = 0
            while offset < Self.data.count {
                let end = min(offset + sizes[index % sizes.count], Self.data.count)
                body.append(ByteBuffer(bytes: Self.data[offset..<end]))
                offset = end
                index += 1
            }
            #expect(try Checksum.value(algorithm, of: body) == whole)
        }
        // Slices of one buffer begin at odd addresses.
        let buffer = ByteBuffer(bytes: Self.data)
        for start in 0..<17 {
            let length = 1000
            let slice = try #require(buffer.getSlice(at: start, length: length))
            let copy = ByteBuffer(bytes: Self.data[start..<start + length])
            #expect(try Checksum.value(algorithm, of: HTTPBody(slice)) == Checksum.value(algorithm, of: HTTPBody(copy)))
        }
    }

    @Test("Checksums of 32 and 64 bits detect every changed bit of a block")
    func bits() {
        func checks(_ bytes: [UInt8]) -> [UInt64] {
            bytes.withUnsafeBytes { bytes in
                var crc32 = CyclicRedundancyCheck<UInt32>.crc32
                var crc32c = CyclicRedundancyCheck<UInt32>.crc32c
                var crc64 = CyclicRedundancyCheck<UInt64>.crc64nvme
                crc32.update(bytes)
                crc32c.update(bytes)
                crc64.update(bytes)
                return [UInt64(crc32.value), UInt64(crc32c.value), crc64.value]
            }
        }
        let block = Array(Self.data.prefix(40))
        let original = checks(block)
        for bit in 0..<320 {
            var changed = block
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(!zip(checks(changed), original).contains { $0 == $1 })
        }
    }
}
