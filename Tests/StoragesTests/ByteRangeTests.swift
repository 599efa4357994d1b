import Storages
import Testing

@Suite struct ByteRangeTests {
    @Test(
        "A byte range is resolved within the size of a file",
        arguments: [
            (ByteRange.bytes(0..<10), 0..<10), (.bytes(5..<200), 5..<100), (.bytes(99..<100), 99..<100),
            (.first(10), 0..<10),
            (.first(0), 0..<0), (.first(500), 0..<100), (.last(10), 90..<100), (.last(500), 0..<100),
            (.last(0), 100..<100),
            (.from(0), 0..<100), (.from(99), 99..<100), (.from(100), 100..<100), (.bytes(5..<5), 5..<5),
            (.last(.max), 0..<100), (.bytes(0..<Int64.max), 0..<100),
        ] as [(ByteRange, Range<Int64>)]
    )
    func resolvesWithinAHundredBytes(range: ByteRange, expected: Range<Int64>) throws {
        #expect(try range.resolved(100) == expected)
    }

    @Test(
        "A byte range outside of the file is refused",
        arguments: [
            ByteRange.bytes(100..<101), .bytes(-1..<10), .from(101), .from(-1), .first(-1), .last(-1),
            .bytes(500..<600),
            .last(.min),
        ]
    )
    func refusesWhatLiesOutside(range: ByteRange) {
        let error = #expect(throws: StorageError.self) { try range.resolved(100) }
        #expect(error?.code == .invalidRange)
    }

    @Test("A byte range in an empty file is empty")
    func resolvesInAnEmptyFile() throws {
        #expect(try ByteRange.first(10).resolved(0) == 0..<0)
        #expect(try ByteRange.last(10).resolved(0) == 0..<0)
        #expect(try ByteRange.from(0).resolved(0) == 0..<0)
    }
}
