import Foundation
import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import Storages

@Suite struct UploadBodyTests {
    private func collect(_ body: UploadBody) async throws -> [ByteBuffer] {
        var chunks: [ByteBuffer] = []
        for try await chunk in body.chunks { chunks.append(chunk) }
        return chunks
    }

    @Test("An upload body cuts a large buffer into chunks")
    func cutsLargeBuffersIntoChunks() async throws {
        let chunks = try await collect(.buffer(ByteBuffer(repeating: 7, count: 600_000)))
        #expect(chunks.map(\.readableBytes) == [262_144, 262_144, 75_712])
    }

    @Test("An upload body gathers single bytes into chunks")
    func gathersSingleBytes() async throws {
        let bytes = AsyncStream<UInt8> { continuation in
            for index in 0..<70_000 { continuation.yield(UInt8(truncatingIfNeeded: index)) }
            continuation.finish()
        }
        let chunks = try await collect(.byteStream(bytes, length: 70_000))
        #expect(chunks.map(\.readableBytes).reduce(0, +) == 70_000)
        #expect(chunks.map(\.readableBytes) == [65_536, 4464])
        #expect(chunks[0].getInteger(at: 255, as: UInt8.self) == 255)
    }

    @Test("An upload body of text, data or bytes knows its length")
    func knowsItsLength() async throws {
        #expect(UploadBody.string("é").length == 2)
        #expect(UploadBody.data(Data([1, 2, 3])).length == 3)
        #expect(UploadBody.bytes([1, 2]).length == 2)
        #expect(try await collect(.data(Data([1, 2, 3]))) == [ByteBuffer(bytes: [1, 2, 3])])
        #expect(try await collect(.bytes([] as [UInt8])).isEmpty)
    }

    @Test("An upload body reads a file in chunks and knows its length")
    func readsFilesInChunksAndKnowsTheirLength() async throws {
        let path = NSTemporaryDirectory() + "upload-body-\(StorageName.timeOrderedID())"
        let data = Data(repeating: 1, count: 300_000) + Data(repeating: 2, count: 400_000)
        try data.write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let body = UploadBody.file(path)
        #expect(try await body.measuredLength() == 700_000)
        for _ in 0..<2 {
            let chunks = try await collect(body)
            #expect(chunks.allSatisfy { $0.readableBytes <= 262_144 })
            let joined = chunks.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
            #expect(Data(joined.readableBytesView) == data)
        }
    }

    @Test(
        "An upload body of a path that is not a regular file fails",
        arguments: ["/nonexistent/file", "/tmp", "/dev/null", "a\0b"]
    )
    func refusesWhatIsNoFile(path: String) async throws {
        let error = await #expect(throws: StorageError.self) { try await collect(.file(path)) }
        #expect(error?.code == .sourceFailed)
    }

    @Test("An upload body gives its stream only once")
    func givesAStreamOnce() async throws {
        let body = UploadBody.stream(AsyncStream { $0.finish() } as AsyncStream<ByteBuffer>)
        let copy = body
        #expect(try await collect(body).isEmpty)
        let error = await #expect(throws: StorageError.self) { try await collect(copy) }
        #expect(error?.code == .alreadyRead)
    }

    @Test("An upload body reads its source only on demand")
    func asksTheSourceOnlyWhenAsked() async throws {
        let asked = Counter()
        let source = AsyncStream<ByteBuffer> {
            asked.next()
            return ByteBuffer(repeating: 1, count: 40_000)
        }
        var iterator = UploadBody.stream(source).chunks.makeAsyncIterator()
        #expect(asked.value == 0)
        _ = try await iterator.next()
        _ = try await iterator.next()
        #expect(asked.value == 2)
    }

    @Test("An upload body gathers small chunks into few new buffers", arguments: [1, 7, 1000, 20_000])
    func gathersSmallChunksIntoFewBuffersOfTheirOwn(size: Int) async throws {
        let count = 300_000 / size * size
        // Each is a small part of a large buffer, which must not be kept for it.
        let large = ByteBuffer(repeating: 5, count: 1 << 20)
        let source = AsyncStream<ByteBuffer> { continuation in
            for offset in stride(from: 0, to: count, by: size) {
                continuation.yield(large.getSlice(at: offset, length: size) ?? ByteBuffer())
                continuation.yield(ByteBuffer())
            }
            continuation.finish()
        }
        let chunks = try await collect(.stream(source, length: Int64(count)))
        #expect(chunks.count == 2)
        #expect(chunks.map(\.readableBytes).reduce(0, +) == count)
        #expect(chunks.allSatisfy { $0.readableBytes <= 262_144 && $0.storageCapacity <= 524_288 })
        #expect(chunks.allSatisfy { $0 == ByteBuffer(repeating: 5, count: $0.readableBytes) })
    }

    @Test("An upload body keeps small and large chunks in order")
    func keepsSmallAndLargeChunksInOrder() async throws {
        let sizes = [10, 20, 300_000, 5, 40_000, 0, 1, 1, 32_768, 3]
        let source = AsyncStream<ByteBuffer> { continuation in
            for (index, size) in sizes.enumerated() {
                continuation.yield(ByteBuffer(repeating: UInt8(index), count: size))
            }
            continuation.finish()
        }
        let chunks = try await collect(.stream(source))
        let joined = chunks.reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
        let expected = sizes.enumerated().reduce(into: ByteBuffer()) { buffer, part in
            buffer.writeRepeatingByte(UInt8(part.offset), count: part.element)
        }
        #expect(joined == expected)
        #expect(chunks.allSatisfy { (1...262_144).contains($0.readableBytes) })
    }

    @Test("An upload body sends the file that it has peeked at, even if it was replaced")
    func sendsTheFileThatWasLookedAt() async throws {
        let path = NSTemporaryDirectory() + "upload-body-\(StorageName.timeOrderedID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 1, count: 300_000).write(to: URL(fileURLWithPath: path))
        let (beginning, body) = try await UploadBody.file(path).peeking(at: 100)
        #expect(beginning == ByteBuffer(repeating: 1, count: 100))
        #expect(body.length == 300_000)
        // Another file under the same path: what is sent must be what was looked at.
        try Data(repeating: 2, count: 300_000).write(to: URL(fileURLWithPath: path + ".new"))
        try #require(rename(path + ".new", path) == 0)
        for _ in 0..<2 {
            let joined = try await collect(body).reduce(into: ByteBuffer()) { $0.writeImmutableBuffer($1) }
            #expect(joined == ByteBuffer(repeating: 1, count: 300_000))
        }
        let (again, _) = try await body.peeking(at: 10)
        #expect(again.readableBytes == 10)
    }

    @Test("An upload body of a file that changes while it is read fails")
    func refusesAFileThatIsChangedWhileItIsRead() async throws {
        let path = NSTemporaryDirectory() + "upload-body-\(StorageName.timeOrderedID())"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 1, count: 600_000).write(to: URL(fileURLWithPath: path))
        for cut in [false, true] {
            var iterator = UploadBody.file(path).chunks.makeAsyncIterator()
            _ = try await iterator.next()
            let file = try #require(FileHandle(forWritingAtPath: path))
            if cut {
                try file.truncate(atOffset: 300_000)
            } else {
                _ = try file.seekToEnd()
                try file.write(contentsOf: Data([9]))
            }
            try file.close()
            let code = await storageErrorCode { while try await iterator.next() != nil {} }
            #expect(code == .sourceFailed)
        }
    }

    @Test("An upload that announces too many bytes is refused without reading")
    func readsNothingOfABodyThatAnnouncesTooMuch() async throws {
        let asked = Counter()
        let source = AsyncStream<ByteBuffer> {
            asked.next()
            return ByteBuffer(repeating: 1, count: 100)
        }
        let storage = MemoryStorage()
        let name = try StorageName(validating: "a")
        let error = await #expect(throws: StorageError.self) {
            try await storage.upload(.stream(source, length: 101), to: name, options: UploadOptions(maxBytes: 100))
        }
        #expect(error?.code == .tooLarge)
        #expect(asked.value == 0)
    }
}
