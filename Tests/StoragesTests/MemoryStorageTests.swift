import NIOCore
import Storages
import Testing

@Suite struct MemoryStorageTests {
    @Test func holdsNoMoreThanItsCapacity() async throws {
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

    @Test func keepsItsNamesInOrderThroughManyChanges() async throws {
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
