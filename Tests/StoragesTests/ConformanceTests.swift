import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@Suite struct ConformanceTests {
    @Test("MemoryStorage passes every conformance check", arguments: StorageConformance.checks)
    func memoryStorageKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { MemoryStorage() }
    }

    @Test("PrefixedStorage passes every conformance check", arguments: StorageConformance.checks)
    func prefixedStorageKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { try PrefixedStorage(prefix: "tenants/42", of: MemoryStorage()) }
    }

    @Test("FaultyStorage without faults passes every conformance check", arguments: StorageConformance.checks)
    func faultyStorageWithoutFaultsKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { FaultyStorage(MemoryStorage()) }
    }

    @Test("There are at least thirty conformance checks, with different names")
    func hasAtLeastThirtyChecksOfDifferentNames() {
        #expect(StorageConformance.checks.count >= 30)
        #expect(Set(StorageConformance.checks.map(\.name)).count == StorageConformance.checks.count)
    }

    @Test("The conformance checks leave the files of a storage as they were")
    func leavesOneStorageAsItWas() async throws {
        let storage = MemoryStorage()
        let name = try StorageName(validating: "mine.txt")
        _ = try await storage.upload(.string("mine"), to: name)
        try await StorageConformance.verify(storage)
        var names: [StorageName] = []
        for try await file in storage.list() { names.append(file.name) }
        #expect(names == [name])
    }

    @Test("The conformance checks detect a storage that overwrites files")
    func findsAStorageThatOverwrites() async throws {
        let error = await #expect(throws: ConformanceFailure.self) {
            try await StorageConformance.verify(OverwritingStorage(base: MemoryStorage()))
        }
        let message = try #require(error?.message)
        #expect(message.contains("renames a second file of one name and keeps both"))
        #expect(message.contains("fails for a second file of one name when asked to"))
        #expect(!message.contains("replaces a file when asked to"))
    }
}

/// A storage that overwrites, as most storages of other frameworks do.
private struct OverwritingStorage: ForwardingStorage {
    let base: MemoryStorage

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        var options = options
        options.ifExists = .replace
        return try await base.upload(body, to: name, options: options)
    }
}
