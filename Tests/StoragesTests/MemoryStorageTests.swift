import NIOCore
import Storages
import TestSupport
import Testing

@Suite struct MemoryStorageTests {
    @Test("MemoryStorage holds no more bytes than its capacity")
    func holdsNoMoreThanItsCapacity() async throws {
        let storage = MemoryStorage(capacity: 1000)
        let (first, second) = (try StorageName(validating: "a"), try StorageName(validating: "b"))
        _ = try await storage.upload(.buffer(ByteBuffer(repeating: 1, count: 900)), to: first)
        let error = await #expect(throws: StorageError.self) {
            try await storage.upload(.buffer(ByteBuffer(repeating: 1, count: 101)), to: second)
        }
        #expect(error?.code == .outOfSpace)
        await #expect(throws: StorageError.self) { try await storage.copy(first, to: second) }
        try await storage.delete(first)
        _ = try await storage.upload(.buffer(ByteBuffer(repeating: 1, count: 1000)), to: second)
        #expect(try await storage.size(of: second) == 1000)
    }

    @Test(
        "MemoryStorage refuses an announced length beyond that of any buffer",
        arguments: [Int64(UInt32.max) + 1, .max, .max - 1]
    )
    func refusesAnnouncementsBeyondAnyBuffer(length: Int64) async throws {
        for storage in [MemoryStorage(), MemoryStorage(capacity: .max)] {
            _ = try await storage.upload(.string("x"), to: StorageName(validating: "a"))
            let code = await storageErrorCode {
                let body = UploadBody.stream(PatternSource(byteCount: 10), length: length)
                _ = try await storage.upload(body, to: StorageName(validating: "b"))
            }
            #expect(code == .tooLarge)
        }
    }

    @Test("MemoryStorage fails an upload that is shorter than announced")
    func believesNoAnnouncementThatIsNotKept() async throws {
        let code = await storageErrorCode {
            let body = UploadBody.stream(PatternSource(byteCount: 10), length: Int64(UInt32.max))
            _ = try await MemoryStorage().upload(body, to: StorageName(validating: "b"))
        }
        #expect(code == .sourceFailed)
    }

    @Test("Collecting contents larger than a buffer can hold is refused")
    func collectsNoMoreThanABufferHolds() async throws {
        let size = Int64(UInt32.max) + 1
        let info = FileInfo(name: try StorageName(validating: "a"), byteCount: size)
        let contents = StoredContents(info: info, range: 0..<size, chunks: PatternSource(byteCount: size))
        #expect(await storageErrorCode { _ = try await contents.collect(upTo: .max) } == .tooLarge)
    }

    @Test(
        "MemoryStorage refuses options of URLs",
        arguments: [
            URLOptions(lifetime: .seconds(1)), URLOptions(contentDisposition: "inline"), URLOptions(contentType: .png),
            URLOptions(quantum: .seconds(1)),
        ]
    )
    func refusesOptionsOfURLs(options: URLOptions) async throws {
        let code = await storageErrorCode {
            _ = try await MemoryStorage().url(for: StorageName(validating: "a"), options: options)
        }
        #expect(code == .unsupported)
    }

    @Test("MemoryStorage keeps its names in order through many changes")
    func keepsItsNamesInOrderThroughManyChanges() async throws {
        let storage = MemoryStorage()
        var expected: Set<StorageName> = []
        for _ in 0..<500 {
            let name = try StorageName(validating: "\(Int.random(in: 0..<100))")
            if Bool.random() {
                _ = try await storage.upload(.string("x"), to: name, options: UploadOptions(ifExists: .replace))
                expected.insert(name)
            } else {
                try await storage.delete(name)
                expected.remove(name)
            }
        }
        var names: [StorageName] = []
        for try await file in storage.list() { names.append(file.name) }
        #expect(names == expected.sorted())
    }
}
