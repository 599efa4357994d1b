import Foundation
import Testing

@testable import StorageImages

/// Tests of the end of a zlib stream and of what it inflates to, against streams that zlib wrote.
@Suite struct InflateScanTests {
    /// Text or a run, and zlib's stream for it: stored, fixed, dynamic and empty blocks.
    private static let streams: [(String, [UInt8])] = [
        ("eNpLTBwFxAIA2KhxrQ==", [UInt8](repeating: 0x61, count: 300)),
        ("eAHLSM3JyVfIQCcBaAMIsQ==", Array("hello hello hello hello".utf8)),
        ("eAEBBQD6/2hlbGxvBiwCFQ==", Array("hello".utf8)),
        ("eNoDAAAAAAE=", []),
    ]

    /// 352 bytes of words, in a block with codes of its own.
    private static let dynamic =
        "eNp1j1EKgDAMQ6/Sq7VYnLDpwH3t9NJFXN30J4Q0fbSazy0eO1UtTBxzYCrB/KLxSVZOiUksbj3fMCfjQh/pzQfCEgeDBQ0eCohHQX1H/eFz"
        + "ab4AuFbXH1b/8GNJfP4q4YE6ftT0AgB2gCs="

    private func decoded(_ base64: String) throws -> [UInt8] {
        [UInt8](try #require(Data(base64Encoded: base64)))
    }

    private func inflate(_ stream: [UInt8], expected: Int) throws -> ([UInt8], InflateScan.Summary) {
        var output = [UInt8](repeating: 0, count: expected)
        let summary = try stream.withUnsafeBytes { input in
            try output.withUnsafeMutableBytes { try InflateScan.run(input, expected: expected, output: $0) }
        }
        return (output, summary)
    }

    @Test("The inflater restores what zlib has compressed")
    func itInflatesWhatZlibDeflated() throws {
        for (base64, plain) in Self.streams {
            let stream = try decoded(base64)
            let (output, summary) = try inflate(stream, expected: plain.count)
            #expect(output == plain)
            #expect(summary.byteCount == stream.count && summary.outputCount == plain.count)
        }
        let (words, _) = try inflate(try decoded(Self.dynamic), expected: 352)
        #expect(String(decoding: words, as: UTF8.self).hasPrefix("epsilon zeta alpha t"))
    }

    @Test("Scanning a zlib stream without output gives the same result as inflating it")
    func countingAndInflatingAgree() throws {
        for base64 in Self.streams.map(\.0) + [Self.dynamic] {
            let stream = try decoded(base64) + [1, 2, 3, 4, 5]
            let counted = try stream.withUnsafeBytes { try InflateScan.run($0, expected: 352) }
            #expect(counted == (try inflate(stream, expected: 352)).1)
            #expect(counted.byteCount == stream.count - 5)
        }
    }

    @Test("A zlib stream that is cut at any byte is reported as truncated")
    func everyCutIsNoticed() throws {
        for base64 in Self.streams.map(\.0) + [Self.dynamic] {
            let stream = try decoded(base64)
            for count in 0..<stream.count {
                #expect(throws: InflateScan.Failure.truncated) {
                    try stream[..<count].withUnsafeBytes { try InflateScan.run($0, expected: 352) }
                }
            }
        }
    }

    @Test("Inflating stops at more bytes than expected")
    func moreThanExpectedIsGivenUp() throws {
        let stream = try decoded(Self.dynamic)
        #expect(throws: InflateScan.Failure.surplus) {
            try stream.withUnsafeBytes { try InflateScan.run($0, expected: 351) }
        }
    }

    @Test("Inflating stops at too many empty blocks")
    func blocksThatCostMoreThanTheyHoldAreGivenUp() throws {
        for (count, isTooMany) in [(800, false), (4000, true), (400_000, true)] {
            var blocks = DeflateWriter()
            for _ in 0..<count { blocks.emptyFixedBlock() }
            blocks.zeros(258, isLast: true)
            blocks.align()
            let stream = [0x78, 0x01] + blocks.bytes + [0, 0, 0, 0]
            let outcome = Result { try stream.withUnsafeBytes { try InflateScan.run($0, expected: 259) } }
            switch outcome {
            case .success(let summary): #expect(!isTooMany && summary.outputCount == 259)
            case .failure(let error): #expect(isTooMany && error as? InflateScan.Failure == .tooManyBlocks)
            }
        }
    }

    @Test("A block with fixed codes is inflated right after a block with codes of its own")
    func fixedCodesAfterCodesOfTheirOwnAreTheFixedOnesAgain() throws {
        var blocks = DeflateWriter()
        blocks.zeros(258, isLast: false)
        blocks.emptyFixedBlock()
        blocks.zeros(258, isLast: true)
        blocks.align()
        let plain = [UInt8](repeating: 0, count: 2 * 259)
        let check = plain.withUnsafeBytes { Adler32.checksum($0) }
        let (output, summary) = try inflate([0x78, 0x01] + blocks.bytes + PNGBuilder.bigEndian(check), expected: 518)
        #expect(output == plain && summary.outputCount == 518)
    }

    @Test("A damaged zlib stream never crashes the inflater and fails the checksum")
    func damageNeverTrapsAndIsCaughtByTheCheckValue() throws {
        var generator = SeededGenerator(seed: 7)
        let original = try decoded(Self.dynamic)
        var refused = 0
        for _ in 0..<2000 {
            var stream = original
            stream[Int.random(in: 2..<stream.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            if (try? inflate(stream, expected: 352)) == nil { refused += 1 }
        }
        // Only a change in the unused bits before the check value is none.
        #expect(refused >= 1980)
    }
}
