import NIOCore
import StoredFilesTesting
import Testing

@testable import Storages

@Suite struct PrefixedStorageTests {
    @Test("PrefixedStorage sees only the files of its own directory")
    func seesOnlyItsOwnDirectory() async throws {
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

    @Test("PrefixedStorage can be nested and forwards the capabilities")
    func nestsAndForwardsCapabilities() async throws {
        let base = MemoryStorage()
        let inner = try PrefixedStorage(prefix: "b", of: PrefixedStorage(prefix: "a", of: base))
        _ = try await inner.upload(.string("x"), to: StorageName(validating: "c.txt"))
        #expect(try await base.exists(StorageName(validating: "a/b/c.txt")))
        #expect(inner.capabilities == base.capabilities)
        #expect(inner.label == "PrefixedStorage(b in PrefixedStorage(a in MemoryStorage))")
    }

    @Test("Errors of PrefixedStorage have the names without the prefix")
    func givesErrorsTheNamesThatAreUsedHere() async throws {
        let faulty = FaultyStorage(MemoryStorage())
        let tenant = try PrefixedStorage(prefix: "tenants/1", of: faulty)
        let name = try StorageName(validating: "a.txt")
        let missing = await #expect(throws: StorageError.self) { try await tenant.open(name) }
        #expect(missing?.name == "a.txt")
        #expect(await #expect(throws: StorageError.self) { try await tenant.info(for: name) }?.name == "a.txt")
        _ = try await tenant.upload(.buffer(ByteBuffer(repeating: 1, count: 600_000)), to: name)
        let taken = await #expect(throws: StorageError.self) {
            try await tenant.upload(.string("x"), to: name, options: UploadOptions(ifExists: .fail))
        }
        #expect(taken?.name == "a.txt")
        let copied = await #expect(throws: StorageError.self) {
            try await tenant.copy(name, to: name, options: UploadOptions(ifExists: .fail))
        }
        #expect(copied?.name == "a.txt")
        let broken = StorageError(.io, "broken", name: "tenants/1/a.txt")
        faulty.inject(.breakAfter(bytes: 300_000, broken), into: .open)
        let contents = try await tenant.open(name)
        let read = await #expect(throws: StorageError.self) { try await contents.collect(upTo: 600_000) }
        #expect(read?.code == .io && read?.name == "a.txt")
        faulty.inject(.error(broken), into: .list)
        let listed = await #expect(throws: StorageError.self) { for try await _ in tenant.list() {} }
        #expect(listed?.name == "a.txt")
        faulty.inject(.error(broken), into: .delete)
        #expect(await #expect(throws: StorageError.self) { try await tenant.delete(name) }?.name == "a.txt")
        faulty.inject(.error(broken), into: .abandonUploads)
        let abandoned = await #expect(throws: StorageError.self) { try await tenant.abandonUploads(of: [name]) }
        #expect(abandoned?.name == "a.txt")
        faulty.inject(.error(broken), into: .info)
        #expect(await #expect(throws: StorageError.self) { try await tenant.exists(name) }?.name == "a.txt")
        let long = try StorageName(validating: String(repeating: "abc/", count: 254) + "abcdefg")
        #expect(await #expect(throws: StorageError.self) { try await tenant.open(long) }?.name == long.string)
        let other = StorageError(.io, "broken", name: "tenants/12/a.txt")
        faulty.inject(.error(other), into: .url)
        #expect(await #expect(throws: StorageError.self) { try await tenant.url(for: name) }?.name == other.name)
    }

    @Test("PrefixedStorage refuses names that are too long with the prefix, and invalid prefixes")
    func refusesNamesThatGetTooLongWithThePrefix() async throws {
        let tenant = try PrefixedStorage(prefix: "tenants/1", of: MemoryStorage())
        let name = try StorageName(validating: String(repeating: "abc/", count: 254) + "abcdefg")
        await #expect(throws: StorageError.self) { try await tenant.upload(.string("x"), to: name) }
        #expect(throws: StorageError.self) { try PrefixedStorage(prefix: "../x", of: MemoryStorage()) }
        #expect(throws: StorageError.self) { try PrefixedStorage(prefix: "", of: MemoryStorage()) }
    }
}
