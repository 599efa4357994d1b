import Foundation
import NIOCore
import StoredFilesTesting
import Testing

@testable import Storages

@Suite struct UploadBodyTests {
    private func collect(_ body: UploadBody) async throws -> [ByteBuffer] {
        var chunks: [ByteBuffer] = []
        for try await chunk in body.chunks { chunks.append(chunk) }
        return chunks
    }

    @Test func cutsLargeBuffersIntoChunks() async throws {
        let chunks = try await collect(.buffer(ByteBuffer(repeating: 7, count: 600_000)))
        #expect(chunks.map(\.readableBytes) == [262_144, 262_144, 75_712])
    }

    @Test func gathersSingleBytes() async throws {
        let bytes = AsyncStream<UInt8> { continuation in
            for index in 0..<70_000 { continuation.yield(UInt8(truncatingIfNeeded: index)) }
            continuation.finish()
        }
        let chunks = try await collect(.byteStream(bytes, length: 70_000))
        #expect(chunks.map(\.readableBytes).reduce(0, +) == 70_000)
        #expect(chunks.map(\.readableBytes) == [65_536, 4464])
        #expect(chunks[0].getInteger(at: 255, as: UInt8.self) == 255)
    }

    @Test func knowsItsLength() async throws {
        #expect(UploadBody.string("é").length == 2)
        #expect(UploadBody.data(Data([1, 2, 3])).length == 3)
        #expect(UploadBody.bytes([1, 2]).length == 2)
        #expect(try await collect(.data(Data([1, 2, 3]))) == [ByteBuffer(bytes: [1, 2, 3])])
        #expect(try await collect(.bytes([] as [UInt8])).isEmpty)
    }

    @Test func readsFilesInChunksAndKnowsTheirLength() async throws {
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

    @Test(arguments: ["/nonexistent/file", "/tmp", "/dev/null", "a\0b"])
    func refusesWhatIsNoFile(path: String) async throws {
        let error = await #expect(throws: StorageError.self) { try await collect(.file(path)) }
        #expect(error?.code == .sourceFailed)
    }

    @Test func givesAStreamOnce() async throws {
        let body = UploadBody.stream(AsyncStream { $0.finish() } as AsyncStream<ByteBuffer>)
        let copy = body
        #expect(try await collect(body).isEmpty)
        let error = await #expect(throws: StorageError.self) { try await collect(copy) }
        #expect(error?.code == .alreadyRead)
    }

    @Test func asksTheSourceOnlyWhenAsked() async throws {
        let asked = Counter()
        let source = AsyncStream<ByteBuffer> {
            await asked.increase()
            return ByteBuffer(repeating: 1, count: 100)
        }
        var iterator = UploadBody.stream(source).chunks.makeAsyncIterator()
        #expect(await asked.value == 0)
        _ = try await iterator.next()
        _ = try await iterator.next()
        #expect(await asked.value == 2)
    }

    @Test func readsNothingOfABodyThatAnnouncesTooMuch() async throws {
        let asked = Counter()
        let source = AsyncStream<ByteBuffer> {
            await asked.increase()
            return ByteBuffer(repeating: 1, count: 100)
        }
        let storage = MemoryStorage()
        let name = try StorageName(validating: "a")
        let error = await #expect(throws: StorageError.self) {
            try await storage.upload(.stream(source, length: 101), to: name, options: UploadOptions(maxBytes: 100))
        }
        #expect(error?.code == .tooLarge)
        #expect(await asked.value == 0)
    }

    private actor Counter {
        var value = 0

        func increase() { value += 1 }
    }
}
