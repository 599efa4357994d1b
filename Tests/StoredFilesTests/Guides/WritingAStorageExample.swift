// The code of the article WritingAStorage, block by block: GuideTests compares the two, and the suite in it runs.
import StoredFiles
import StoredFilesTesting
import Testing

enum WritingAStorageGuide {
    struct ObservedStorage: Storage {
        let base: any Storage
        let onDelete: @Sendable ([StorageName]) -> Void

        var label: String { base.label }
        var location: StorageLocation? { StorageLocation(of: base) }
        var capabilities: StorageCapabilities { base.capabilities }

        func name(for original: String) throws -> StorageName { try base.name(for: original) }

        func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
            try await base.upload(body, to: name, options: options)
        }

        func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
            try await base.open(name, options: options)
        }

        func info(for name: StorageName) async throws -> FileInfo { try await base.info(for: name) }

        func url(for name: StorageName, options: URLOptions) async throws -> String {
            try await base.url(for: name, options: options)
        }

        func delete(_ names: [StorageName]) async throws -> [DeletionFailure] {
            onDelete(names)
            return try await base.delete(names)
        }

        func list(prefix: String) -> FileListing { base.list(prefix: prefix) }

        func copy(_ source: StorageName, to target: StorageName, options: UploadOptions) async throws -> UploadedFile {
            try await base.copy(source, to: target, options: options)
        }

        func abandonUploads(of names: [StorageName]) async throws { try await base.abandonUploads(of: names) }

        func purge(_ names: [StorageName]) async throws -> [PurgedFile] {
            onDelete(names)
            return try await base.purge(names)
        }
    }

    @Suite("An observed storage")
    struct ObservedStorageTests {
        @Test("It keeps the promises of a storage", arguments: StorageConformance.checks)
        func keepsThePromises(check: StorageConformance.Check) async throws {
            try await StorageConformance.run(check) { ObservedStorage(base: MemoryStorage(), onDelete: { _ in }) }
        }
    }
}
