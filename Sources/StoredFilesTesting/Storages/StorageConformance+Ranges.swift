import NIOCore
import Storages

extension StorageConformance {
    static let rangeChecks: [Check] = [
        Check("reads the bytes between two offsets") { subject in
            try await subject.expectRange(.bytes(100..<700), of: 1000, is: 100..<700)
            try await subject.expectRange(.bytes(0..<1), of: 1000, is: 0..<1)
            try await subject.expectRange(.bytes(999..<1000), of: 1000, is: 999..<1000)
        },
        Check("reads the first bytes") { subject in
            try await subject.expectRange(.first(10), of: 1000, is: 0..<10)
            try await subject.expectRange(.first(5000), of: 1000, is: 0..<1000)
        },
        Check("reads the last bytes") { subject in
            try await subject.expectRange(.last(10), of: 1000, is: 990..<1000)
            try await subject.expectRange(.last(5000), of: 1000, is: 0..<1000)
        },
        Check("reads from an offset to the end") { subject in
            try await subject.expectRange(.from(0), of: 1000, is: 0..<1000)
            try await subject.expectRange(.from(998), of: 1000, is: 998..<1000)
        },
        Check("cuts a range at the end of the file") { subject in
            try await subject.expectRange(.bytes(900..<5000), of: 1000, is: 900..<1000)
        },
        Check("reads a range across chunks of a large file") { subject in
            try await subject.expectRange(.bytes(262_000..<790_000), of: 1_000_000, is: 262_000..<790_000)
        },
        Check("refuses ranges behind the end, and negative ones") { subject in
            let file = try await subject.upload("short.bin", subject.bytes(10))
            for range in [ByteRange.bytes(11..<20), .from(11), .bytes(-1..<5), .first(-1), .last(-1), .from(-1)] {
                try await subject.expectError(.invalidRange, doing: "reading \(range) of 10 bytes") {
                    try await subject.contents(file.name, range: range)
                }
            }
        },
        Check("reads the first and the last bytes of an empty file") { subject in
            let file = try await subject.upload("empty.bin", ByteBuffer())
            for range in [ByteRange.first(10), .last(10)] {
                let contents = try await subject.contents(file.name, range: range)
                try subject.expect(contents.readableBytes, equals: 0, "the number of bytes of \(range)")
            }
        },
    ]
}

extension ConformanceSubject {
    fileprivate func expectRange(_ range: ByteRange, of size: Int, is expected: Range<Int>) async throws {
        let bytes = bytes(size)
        let file = try await upload("range-\(size).bin", bytes, UploadOptions(ifExists: .replace))
        let contents = try await storage.open(file.name, range: range)
        try expect(
            contents.range,
            equals: Int64(expected.lowerBound)..<Int64(expected.upperBound),
            "the range of \(range)"
        )
        try expect(contents.info.byteCount, equals: Int64(size), "the size of the file")
        let found = try await contents.collect(upTo: size)
        let wanted = bytes.getSlice(at: expected.lowerBound, length: expected.count)
        try expect(found == wanted, "\(range) gave \(found.readableBytes) bytes that are not those of \(expected)")
    }
}
