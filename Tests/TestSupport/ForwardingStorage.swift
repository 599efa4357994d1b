package import Storages

/// A storage of a test that hands everything to another one, but for what it defines itself.
package protocol ForwardingStorage: Storage {
    associatedtype Base: Storage

    /// The storage that does the work.
    var base: Base { get }
}

extension ForwardingStorage {
    package var label: String { "\(Self.self)" }
    package var capabilities: StorageCapabilities { base.capabilities }

    package func name(for original: String) throws -> StorageName { try base.name(for: original) }

    package func upload(
        _ body: UploadBody,
        to name: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await base.upload(body, to: name, options: options)
    }

    package func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await base.open(name, options: options)
    }

    package func info(for name: StorageName) async throws -> FileInfo { try await base.info(for: name) }

    package func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await base.url(for: name, options: options)
    }

    package func delete(_ names: [StorageName]) async throws -> [DeletionFailure] { try await base.delete(names) }

    package func abandonUploads(of names: [StorageName]) async throws { try await base.abandonUploads(of: names) }

    package func purge(_ names: [StorageName]) async throws -> [PurgedFile] { try await base.purge(names) }

    package func list(prefix: String) -> FileListing { base.list(prefix: prefix) }

    package func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await base.copy(source, to: destination, options: options)
    }
}
