import NIOCore
import Storages
import StoredFilesTesting
import Testing

@Suite struct ConformanceTests {
    @Test(arguments: StorageConformance.checks)
    func memoryStorageKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { MemoryStorage() }
    }

    @Test(arguments: StorageConformance.checks)
    func prefixedStorageKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { try PrefixedStorage(prefix: "tenants/42", of: MemoryStorage()) }
    }

    @Test(arguments: StorageConformance.checks)
    func faultyStorageWithoutFaultsKeepsItsPromises(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { FaultyStorage(MemoryStorage()) }
    }

    @Test func hasAtLeastThirtyChecksOfDifferentNames() {
        #expect(StorageConformance.checks.count >= 30)
        #expect(Set(StorageConformance.checks.map(\.name)).count == StorageConformance.checks.count)
    }

    @Test func leavesOneStorageAsItWas() async throws {
        let storage = MemoryStorage()
        let name = try StorageName(validating: "mine.txt")
        _ = try await storage.upload(.string("mine"), to: name)
        try await StorageConformance.verify(storage)
        var names: [StorageName] = []
        for try await file in storage.list() { names.append(file.name) }
        #expect(names == [name])
    }

    @Test func findsAStorageThatOverwrites() async throws {
        let error = await #expect(throws: ConformanceFailure.self) {
            try await StorageConformance.verify(OverwritingStorage(base: MemoryStorage()))
        }
        let message = try #require(error?.message)
        #expect(message.contains("renames a second file of one name and keeps both"))
        #expect(message.contains("fails for a second file of one name when asked to"))
        #expect(!message.contains("replaces a file when asked to"))
    }
}

/// What most storages of other frameworks do.
private struct OverwritingStorage: Storage {
    let base: MemoryStorage

    var label: String { "OverwritingStorage" }
    var capabilities: StorageCapabilities { base.capabilities }

    func name(for original: String) throws -> StorageName { try base.name(for: original) }

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        var options = options
        options.ifExists = .replace
        return try await base.upload(body, to: name, options: options)
    }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await base.open(name, options: options)
    }

    func info(for name: StorageName) async throws -> FileInfo { try await base.info(for: name) }

    func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await base.url(for: name, options: options)
    }

    func delete(_ names: [StorageName]) async throws -> [DeletionFailure] { try await base.delete(names) }

    func abandonUploads(of names: [StorageName]) async throws { try await base.abandonUploads(of: names) }
    func purge(_ names: [StorageName]) async throws -> [PurgedFile] { try await base.purge(names) }

    func list(prefix: String) -> FileListing { base.list(prefix: prefix) }

    func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await base.copy(source, to: destination, options: options)
    }
}
