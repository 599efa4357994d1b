import Storages
import StoredFilesTesting
import Testing

@Suite("OverlayStorage: conformance")
struct OverlayConformanceTests {
    @Test("Over an empty storage, in memory", arguments: StorageConformance.checks)
    func overAnEmptyStorage(check: StorageConformance.Check) async throws {
        let lower = MemoryStorage().readOnly
        try await StorageConformance.run(check) { try OverlayStorage(upper: MemoryStorage(), lower: lower) }
        #expect(lower.writes == [])
    }

    @Test("Over a storage that has files, in the file system", arguments: StorageConformance.checks)
    func overFiles(check: StorageConformance.Check) async throws {
        let (above, below) = (try FileSystemFixture(), try FileSystemFixture())
        let base = try below.storage()
        try await base.put("production", "conformance")
        try await base.put("production", "z/1.txt")
        let lower = base.readOnly
        try await StorageConformance.run(check) { try OverlayStorage(upper: above.storage(), lower: lower) }
        #expect(lower.writes == [])
        #expect(try below.remains() == ["conformance", "z/", "z/1.txt"])
        #expect(try above.remains() == [])
    }

    @Test("In memory over the file system, and the other way round", arguments: StorageConformance.checks)
    func mixed(check: StorageConformance.Check) async throws {
        let fixture = try FileSystemFixture()
        let key = [UInt8](repeating: 7, count: 32)
        let files = try fixture.storage(baseURL: "https://example.org/m", signingKey: key)
        try await StorageConformance.run(check) { try OverlayStorage(upper: MemoryStorage(), lower: files) }
        try await StorageConformance.run(check) { try OverlayStorage(upper: files, lower: MemoryStorage()) }
    }

    @Test("A prefix of an overlay, and an overlay over another", arguments: StorageConformance.checks)
    func nested(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) {
            let inner = try OverlayStorage(upper: MemoryStorage(), lower: MemoryStorage())
            return try PrefixedStorage(prefix: "a", of: OverlayStorage(upper: inner, lower: MemoryStorage()))
        }
    }

    /// Without the checks of concurrent writers, because here the lower storage changes at the same time, and of purging, whose
    /// receipts count what the upper storage had.
    @Test(
        "Every file is in the lower storage as soon as it is stored",
        arguments: StorageConformance.checks.filter { !$0.name.contains("concurrent") && !$0.name.contains("purges") }
    )
    func sinking(check: StorageConformance.Check) async throws {
        let base = MemoryStorage()
        let lower = base.readOnly
        try await StorageConformance.run(check) {
            try SinkingStorage(overlay: OverlayStorage(upper: MemoryStorage(), lower: lower), bottom: base)
        }
        #expect(lower.writes == [])
    }
}

/// An overlay whose uploads end up in the lower storage.
private struct SinkingStorage: Storage {
    let overlay: OverlayStorage
    let bottom: MemoryStorage

    var label: String { "SinkingStorage" }
    var capabilities: StorageCapabilities { overlay.capabilities }

    func name(for original: String) throws -> StorageName { try overlay.name(for: original) }

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        var file = try await overlay.upload(body, to: name, options: options)
        let contents = try await overlay.upper.open(file.name)
        var options = UploadOptions(ifExists: .replace)
        options.contentType = contents.info.contentType
        options.contentDisposition = contents.info.contentDisposition
        options.cacheControl = contents.info.cacheControl
        options.metadata = contents.info.metadata
        let sunk = try await bottom.upload(.stream(contents), to: file.name, options: options)
        try await overlay.upper.delete(file.name)
        file.entityTag = sunk.entityTag
        return file
    }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        try await overlay.open(name, options: options)
    }

    func info(for name: StorageName) async throws -> FileInfo {
        let info = try await overlay.info(for: name)
        // Copies do not sink.
        if info.isInherited { #expect(try await bottom.exists(name)) }
        return info
    }

    func url(for name: StorageName, options: URLOptions) async throws -> String {
        try await overlay.url(for: name, options: options)
    }

    func delete(_ names: [StorageName]) async throws -> [DeletionFailure] { try await overlay.delete(names) }
    func abandonUploads(of names: [StorageName]) async throws { try await overlay.abandonUploads(of: names) }
    func list(prefix: String) -> FileListing { overlay.list(prefix: prefix) }

    func purge(_ names: [StorageName]) async throws -> [PurgedFile] { try await overlay.purge(names) }

    func copy(
        _ source: StorageName,
        to destination: StorageName,
        options: UploadOptions
    ) async throws -> UploadedFile {
        try await overlay.copy(source, to: destination, options: options)
    }
}
