import NIOCore
import StoredFilesTesting
import Testing

@testable import Storages

@Suite struct PrefixedStorageTests {
    @Test func seesOnlyItsOwnDirectory() async throws {
        let base = MemoryStorage()
        for path in ["tenants/1/a.txt", "tenants/2/b.txt", "tenants/12/c.txt", "d.txt"] {
            _ = try await base.upload(.string(path), to: StorageName(validating: path))
        }
        let tenant = try PrefixedStorage(prefix: "tenants/1", of: base)
        var names: [String] = []
        for try await file in tenant.list() { names.append(file.name.string) }
        #expect(names == ["a.txt"])
        #expect(try await tenant.url(for: StorageName(validating: "a.txt")) == "memory:tenants/1/a.txt")
        let contents = try await tenant.open(StorageName(validating: "a.txt"))
        #expect(contents.info.name.string == "a.txt")
        for text in ["../2/b.txt", "..", "/d.txt", "x/../../2/b.txt"] {
            let name = StorageName(unchecked: text)
            await #expect(throws: StorageError.self) { try await tenant.open(name) }
            #expect(try await tenant.delete([name]).map(\.error.code) == [.invalidName])
        }
        #expect(try await base.size(of: StorageName(validating: "tenants/2/b.txt")) > 0)
    }

    @Test func nestsAndForwardsCapabilities() async throws {
        let base = MemoryStorage()
        let inner = try PrefixedStorage(prefix: "b", of: PrefixedStorage(prefix: "a", of: base))
        _ = try await inner.upload(.string("x"), to: StorageName(validating: "c.txt"))
        #expect(try await base.exists(StorageName(validating: "a/b/c.txt")))
        #expect(inner.capabilities == base.capabilities)
        #expect(inner.label == "PrefixedStorage(b in PrefixedStorage(a in MemoryStorage))")
    }

    @Test func refusesNamesThatGetTooLongWithThePrefix() async throws {
        let tenant = try PrefixedStorage(prefix: "tenants/1", of: MemoryStorage())
        let name = try StorageName(validating: String(repeating: "abc/", count: 254) + "abcdefg")
        await #expect(throws: StorageError.self) { try await tenant.upload(.string("x"), to: name) }
        #expect(throws: StorageError.self) { try PrefixedStorage(prefix: "../x", of: MemoryStorage()) }
        #expect(throws: StorageError.self) { try PrefixedStorage(prefix: "", of: MemoryStorage()) }
    }
}
