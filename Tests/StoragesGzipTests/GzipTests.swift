import Foundation
import NIOCore
import Storages
import Testing

@testable import StoragesGzip

@Suite("Gzip coding", .timeLimit(.minutes(2)))
struct GzipTests {
    /// Bytes of which only a few differ, and bytes without any order.
    private func bytes(_ count: Int, isRandom: Bool) -> [UInt8] {
        var state = UInt64(count) &+ 1
        return (0..<count).map { index in
            guard isRandom else { return UInt8(truncatingIfNeeded: index / 100 % 7) }
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 33)
        }
    }

    private func run(_ transform: any ContentTransform, _ input: [UInt8], piece: Int) throws -> [UInt8] {
        var output: [UInt8] = []
        for start in stride(from: 0, to: input.count, by: piece) {
            var buffer = ByteBuffer(bytes: input[start..<min(start + piece, input.count)])
            while let chunk = try transform.next(from: &buffer) {
                #expect((1...(256 << 10)).contains(chunk.readableBytes))
                output += chunk.readableBytesView
            }
            #expect(buffer.readableBytes == 0)
        }
        while let chunk = try transform.finish() {
            #expect((1...(256 << 10)).contains(chunk.readableBytes))
            output += chunk.readableBytesView
        }
        return output
    }

    private func encoded(_ bytes: [UInt8], _ coding: GzipCoding = .gzip, piece: Int = 256 << 10) throws -> [UInt8] {
        try run(coding.makeEncoder(), bytes, piece: piece)
    }

    private func decoded(_ bytes: [UInt8], piece: Int = 256 << 10) throws -> [UInt8] {
        try run(GzipCoding.gzip.makeDecoder(), bytes, piece: piece)
    }

    @Test(
        "Decoding gives back what was encoded, in pieces of any size and within the size bound",
        arguments: [0, 1, 1000, 65_536, 300_000],
        [false, true]
    )
    func roundTrip(count: Int, isRandom: Bool) throws {
        let bytes = bytes(count, isRandom: isRandom)
        for level in [1, 6, 9] {
            let coding = GzipCoding.gzip(level: level)
            let encoded = try encoded(bytes, coding, piece: 1000)
            #expect(Int64(encoded.count) <= coding.largestEncodedSize(of: Int64(count)))
            if !isRandom, count >= 1000 { #expect(encoded.count < count / 10) }
            #expect(try decoded(encoded, piece: 7) == bytes)
            #expect(try decoded(encoded) == bytes)
        }
    }

    @Test("The program gzip reads encoded bytes, and its output can be decoded")
    func program() throws {
        let bytes = bytes(200_000, isRandom: false) + self.bytes(100_000, isRandom: true)
        #expect(try gzip(["-dc"], try encoded(bytes)) == bytes)
        #expect(try decoded(try gzip(["-c"], bytes)) == bytes)
    }

    @Test("Buffers of encoded bytes allocate at most twice the memory that they fill")
    func memory() throws {
        // Far apart repetitions: little comes out, and often.
        let bytes = bytes(1 << 20, isRandom: false)
        let encoder = try GzipCoding.gzip.makeEncoder()
        var chunks: [ByteBuffer] = []
        for _ in 0..<64 {
            var input = ByteBuffer(bytes: bytes)
            while let chunk = try encoder.next(from: &input) { chunks.append(chunk) }
        }
        while let chunk = try encoder.finish() { chunks.append(chunk) }
        let count = chunks.reduce(0) { $0 + $1.readableBytes }
        let capacity = chunks.reduce(0) { $0 + $1.storageCapacity }
        #expect(chunks.count > 4)
        #expect(capacity <= 2 * count)
    }

    @Test("Encoded bytes contain neither date nor name, so equal input gives equal output")
    func reproducible() throws {
        let bytes = bytes(5000, isRandom: false)
        let encoded = try encoded(bytes)
        // RFC 1952 section 2.3: magic, deflate, no flags, and no time.
        #expect(Array(encoded.prefix(8)) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
        #expect(try self.encoded(bytes) == encoded)
    }

    @Test("A series of gzip members is decoded as one, empty members included")
    func members() throws {
        let empty = try encoded([])
        let series = try encoded([1, 2]) + empty + empty + encoded([3]) + empty
        for piece in [1, 3, 1000] { #expect(try decoded(series, piece: piece) == [1, 2, 3]) }
    }

    @Test("Decoding fails for input that is damaged, cut or followed by other bytes", arguments: 0..<6)
    func damaged(kind: Int) throws {
        let whole = try encoded(bytes(1000, isRandom: true))
        var input = whole
        switch kind {
        case 0: input = Array("<html></html>".utf8)
        case 1: input.removeLast()
        case 2: input = []
        // The check of the bytes, and their number.
        case 3: input[whole.count - 5] ^= 1
        case 4: input[whole.count - 1] ^= 1
        default: input += Array("more".utf8)
        }
        let error = #expect(throws: StorageError.self) { _ = try decoded(input) }
        #expect(error?.code == .corrupted)
    }

    @Test(
        "A compression level out of range becomes the nearest valid one",
        arguments: [(-1, 1), (0, 1), (5, 5), (10, 9), (.max, 9)]
    )
    func levels(given: Int, level: Int) {
        #expect(GzipCoding(level: given).level == level)
    }

    // MARK: Contents

    private func contents(_ bytes: [UInt8], _ coding: String?, range: Range<Int64>? = nil) throws -> StoredContents {
        let info = FileInfo(
            name: try StorageName(validating: "a.txt"),
            byteCount: Int64(bytes.count),
            contentEncoding: coding
        )
        let range = range ?? 0..<Int64(bytes.count)
        return StoredContents(
            info: info,
            range: range,
            buffer: ByteBuffer(bytes: bytes[Int(range.lowerBound)..<Int(range.upperBound)])
        )
    }

    @Test(
        "Stored contents are decoded when their content encoding is gzip",
        arguments: ["gzip", "x-gzip", "GZIP", "identity", nil]
    )
    func decoding(coding: String?) async throws {
        let bytes = bytes(700_000, isRandom: false)
        let isEncoded = coding?.contains("zip") ?? false || coding == "GZIP"
        let stored = isEncoded ? try encoded(bytes) : bytes
        let decoded = try contents(stored, coding).decoded(by: .gzip)
        #expect(decoded.info.byteCount == Int64(stored.count))
        #expect(Array(try await decoded.collect(upTo: bytes.count).readableBytesView) == bytes)
        // Once, as the contents themselves.
        let again = await #expect(throws: StorageError.self) { try await decoded.collect(upTo: bytes.count) }
        #expect(again?.code == .alreadyRead)
    }

    @Test("Contents with another coding, and ranges of encoded contents, cannot be decoded")
    func refused() throws {
        let bytes = try encoded([1, 2, 3])
        for contents in [try contents(bytes, "br"), try contents(bytes, "gzip", range: 1..<5)] {
            let error = #expect(throws: StorageError.self) { _ = try contents.decoded(by: .gzip) }
            #expect(error?.code == .unsupported)
            #expect(error?.name == "a.txt")
        }
    }

    @Test("An error about damaged gzip contents names the file")
    func damagedContents() async throws {
        let contents = try contents([1, 2, 3], "gzip")
        let error = await #expect(throws: StorageError.self) { try await contents.decoded(by: .gzip).collect(upTo: 10) }
        #expect(error?.code == .corrupted)
        #expect(error?.name == "a.txt")
    }

    @Test("Decoding of a gzip bomb ends at the limit and needs constant memory")
    func bomb() async throws {
        let encoder = try GzipCoding.gzip(level: 9).makeEncoder()
        let zeros = ByteBuffer(repeating: 0, count: 1 << 20)
        var bomb: [UInt8] = []
        for _ in 0..<256 {
            var input = zeros
            while let chunk = try encoder.next(from: &input) { bomb += chunk.readableBytesView }
        }
        while let chunk = try encoder.finish() { bomb += chunk.readableBytesView }
        #expect(bomb.count < 1 << 19)

        let small = try contents(bomb, "gzip")
        let error = await #expect(throws: StorageError.self) {
            try await small.decoded(by: .gzip).collect(upTo: 1 << 20)
        }
        #expect(error?.code == .tooLarge)
        var largest = 0
        var count = 0
        for try await chunk in try contents(bomb, "gzip").decoded(by: .gzip) {
            largest = max(largest, chunk.readableBytes)
            count += chunk.readableBytes
        }
        #expect(largest <= 256 << 10)
        #expect(count == 256 << 20)
    }

    /// Runs the program gzip.
    private func gzip(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory.appending(component: "gzip-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = folder.appending(component: "input")
        try Data(input).write(to: source)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["gzip"] + arguments
        let output = Pipe()
        process.standardInput = try FileHandle(forReadingFrom: source)
        process.standardOutput = output
        try process.run()
        let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return bytes
    }
}
