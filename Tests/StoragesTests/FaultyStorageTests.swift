import NIOCore
import Storages
import StoredFilesTesting
import Testing

@Suite struct FaultyStorageTests {
    private struct Broken: Error, Equatable {}

    private func name(_ text: String) throws -> StorageName { try StorageName(validating: text) }

    @Test("FaultyStorage counts operations and bytes")
    func countsOperationsAndBytes() async throws {
        let storage = FaultyStorage(MemoryStorage())
        let file = try name("a")
        _ = try await storage.upload(.buffer(ByteBuffer(repeating: 1, count: 300_000)), to: file)
        _ = try await storage.open(file, range: .first(10)).collect(upTo: 10)
        _ = try await storage.exists(file)
        for try await _ in storage.list() {}
        try await storage.delete(file)
        #expect(storage.counts == [.upload: 1, .open: 1, .read: 2, .info: 1, .list: 1, .delete: 1])
        #expect(storage.calls.map(\.operation) == [.upload, .open, .info, .list, .delete])
        #expect(storage.bytesUploaded == 300_000 && storage.bytesRead == 10)
        storage.reset()
        #expect(storage.counts.isEmpty && storage.calls.isEmpty && storage.bytesRead == 0)
    }

    @Test("FaultyStorage fails an operation before it, after it and midway")
    func failsBeforeAfterAndInTheMiddle() async throws {
        let base = MemoryStorage()
        let storage = FaultyStorage(base)
        let body = ByteBuffer(repeating: 1, count: 600_000)

        storage.inject(.error(Broken()), into: .upload, times: 2)
        for _ in 0..<2 {
            await #expect(throws: Broken.self) { try await storage.upload(.buffer(body), to: name("a")) }
        }
        #expect(try await !base.exists(name("a")))

        storage.inject(.lostResponse(Broken()), into: .upload)
        await #expect(throws: Broken.self) { try await storage.upload(.buffer(body), to: name("a")) }
        #expect(try await base.size(of: name("a")) == 600_000)

        storage.inject(.breakAfter(bytes: 400_000, Broken()), into: .upload)
        let error = await #expect(throws: StorageError.self) {
            try await storage.upload(.buffer(body), to: name("b"))
        }
        #expect(error?.code == .sourceFailed && error?.underlying is Broken)
        #expect(try await !base.exists(name("b")))

        storage.inject(.breakAfter(bytes: 400_000, Broken()), into: .open)
        var count = 0
        await #expect(throws: Broken.self) {
            for try await chunk in try await storage.open(name("a")) { count += chunk.readableBytes }
        }
        #expect(count == 400_000)
    }

    @Test("FaultyStorage injects the faults of a script")
    func followsAScript() async throws {
        let storage = FaultyStorage(MemoryStorage()) { call, number in
            call.operation == .info && number.isMultiple(of: 2) ? .error(Broken()) : nil
        }
        #expect(try await storage.size(of: name("a")) == 0)
        await #expect(throws: Broken.self) { try await storage.size(of: name("a")) }
        #expect(try await storage.size(of: name("a")) == 0)
    }

    @Test("FaultyStorage runs an action before an operation")
    func runsActionsBetween() async throws {
        let base = MemoryStorage()
        let storage = FaultyStorage(base)
        _ = try await storage.upload(.string("old"), to: name("a"))
        storage.inject(.run { try await base.delete(StorageName(validating: "a")) }, into: .open)
        let error = await #expect(throws: StorageError.self) { try await storage.open(name("a")) }
        #expect(error?.code == .notFound)
    }
}
