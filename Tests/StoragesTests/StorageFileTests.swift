import NIOCore
import Storages
import StoredFilesTesting
import Testing

@Suite struct StorageFileTests {
    @Test("StorageFile forwards all operations to its storage")
    func doesEverythingThroughItsStorage() async throws {
        let storage = MemoryStorage()
        let file = try StorageFile(name: "a/b.txt", in: storage)
        #expect(file.name.string == "a/b.txt" && file.description == "a/b.txt")
        #expect(try await file.size() == 0)
        #expect(try await !file.exists())
        let uploaded = try await file.upload(.string("hello"))
        #expect(uploaded.name == file.name)
        #expect(try await file.size() == 5)
        #expect(try await file.exists())
        #expect(try await file.info().contentType == .plainText)
        #expect(try await file.url() == "memory:a/b.txt")
        #expect(try await file.open(range: .last(2)).collect(upTo: 2) == ByteBuffer(string: "lo"))
        #expect(try await file.open(options: OpenOptions()).collect(upTo: 5) == ByteBuffer(string: "hello"))
        let copy = try await file.copy(to: StorageName(validating: "copy.txt"))
        try await file.delete()
        #expect(try await !file.exists())
        #expect(try await copy.size() == 5)
    }

    @Test("Two StorageFiles are equal if their names and locations are")
    func isEqualByNameAndLocation() throws {
        let first = MemoryStorage(name: "first")
        // Labels are for people.
        let second = MemoryStorage(name: "first")
        let file = try StorageFile(name: "a", in: first)
        #expect(file == (try StorageFile(name: "a", in: first)))
        #expect(file != (try StorageFile(name: "b", in: first)))
        #expect(file != (try StorageFile(name: "a", in: second)))
        #expect(Set([file, try StorageFile(name: "a", in: first)]).count == 1)
    }

    @Test("StorageFile refuses an invalid name")
    func refusesInvalidNames() {
        #expect(throws: StorageError.self) { try StorageFile(name: "../a", in: MemoryStorage()) }
    }

    @Test("The error about an unknown storage lists the registered ones")
    func registryNamesWhatItKnows() throws {
        let registry = StorageRegistry(["media": MemoryStorage(), "documents": MemoryStorage(name: "documents")])
        #expect(registry.ids == ["documents", "media"])
        #expect(registry["documents"]?.label == "MemoryStorage(documents)")
        #expect(try registry.storage(for: "media").label == "MemoryStorage")
        let error = #expect(throws: StorageError.self) { try registry.storage(for: "medai") }
        #expect(error?.code == .unknownStorage)
        #expect(error?.message.contains("\"medai\"") == true)
        #expect(error?.message.contains("\"documents\", \"media\"") == true)
    }
}
