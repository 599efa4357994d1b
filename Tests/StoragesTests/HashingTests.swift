import NIOCore
import Testing

@testable import Storages

@Suite struct HashingTests {
    /// The examples of FIPS 180-4 and the empty message.
    @Test(
        "SHA-256 hashes the examples of the standard",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ]
    )
    func hashesTheVectorsOfTheStandard(message: String, expected: String) throws {
        #expect(try SHA256Hasher.hash(message).hexadecimal == expected)
    }

    @Test("SHA-256 of a million bytes does not depend on the size of the pieces")
    func hashesAMillionBytesInPiecesOfAnySize() throws {
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        for size in [1, 63, 64, 65, 100_000] {
            let hasher = try SHA256Hasher()
            var left = 1_000_000
            while left > 0 {
                hasher.update(ByteBuffer(repeating: UInt8(ascii: "a"), count: min(size, left)))
                left -= size
            }
            #expect(try hasher.finish().hexadecimal == expected)
        }
    }

    @Test("A SHA-256 hasher starts again after it has finished")
    func startsAgainAfterFinishing() throws {
        let hasher = try SHA256Hasher()
        hasher.update([1, 2, 3])
        _ = try hasher.finish()
        hasher.update(Array("abc".utf8))
        #expect(try hasher.finish() == SHA256Hasher.hash("abc"))
    }

    /// RFC 4231, test cases 1, 2, 3 and 6.
    @Test(
        "HMAC-SHA-256 authenticates the examples of the standard",
        arguments: [
            (
                [UInt8](repeating: 0x0B, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xAA, count: 20), [UInt8](repeating: 0xDD, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
            ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
        ] as [([UInt8], [UInt8], String)]
    )
    func authenticatesTheVectorsOfTheStandard(key: [UInt8], message: [UInt8], expected: String) throws {
        #expect(try HMACSHA256.authenticate(message, key: key).hexadecimal == expected)
    }

    @Test("Authentication codes are compared by length and all bytes")
    func comparesBytes() {
        #expect(HMACSHA256.isEqual([1, 2, 3], to: [1, 2, 3]))
        #expect(!HMACSHA256.isEqual([1, 2, 3], to: [1, 2, 4]))
        #expect(!HMACSHA256.isEqual([1, 2, 3], to: [1, 2]))
        #expect(HMACSHA256.isEqual([], to: []))
    }
}
