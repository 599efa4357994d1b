import Storages
import StoredFilesTesting
import TestSupport
import Testing

@Suite("OverlayStorage: conformance")
struct OverlayConformanceTests {
    @Test(
        "An overlay over an empty storage in memory passes every conformance check",
        arguments: StorageConformance.checks
    )
    func overAnEmptyStorage(check: StorageConformance.Check) async throws {
        let lower = MemoryStorage().readOnly
        try await StorageConformance.run(check) { try OverlayStorage(upper: MemoryStorage(), lower: lower) }
        #expect(lower.writes == [])
    }

    @Test("An overlay over files in a file system passes every conformance check", arguments: StorageConformance.checks)
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

    @Test(
        "An overlay of memory and file system, in either order, passes every conformance check",
        arguments: StorageConformance.checks
    )
    func mixed(check: StorageConformance.Check) async throws {
        let fixture = try FileSystemFixture()
        let key = [UInt8](repeating: 7, count: 32)
        let files = try fixture.storage(baseURL: "https://example.org/m", signingKey: key)
        try await StorageConformance.run(check) { try OverlayStorage(upper: MemoryStorage(), lower: files) }
        try await StorageConformance.run(check) { try OverlayStorage(upper: files, lower: MemoryStorage()) }
    }

    @Test(
        "A prefixed overlay, and an overlay over an overlay, pass every conformance check",
        arguments: StorageConformance.checks
    )
    func nested(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) {
            let inner = try OverlayStorage(upper: MemoryStorage(), lower: MemoryStorage())
            return try PrefixedStorage(prefix: "a", of: OverlayStorage(upper: inner, lower: MemoryStorage()))
        }
    }

    /// Without the checks of concurrent writers, because here the lower storage changes at the same time, and of
    /// purging, whose receipts count what the upper storage had.
    @Test(
        "An overlay whose files sink into the lower storage passes every conformance check",
        arguments: StorageConformance.checks.filter { !$0.name.contains("concurrent") && !$0.name.contains("purges") }
    )
    func sinking(check: StorageConformance.Check) async throws {
        let base = MemoryStorage()
        let lower = base.readOnly
        try await StorageConformance.run(check) {
            try SinkingStorage(base: OverlayStorage(upper: MemoryStorage(), lower: lower), bottom: base)
        }
        #expect(lower.writes == [])
    }
}

/// An overlay whose uploads end up in the lower storage.
private struct SinkingStorage: ForwardingStorage {
    let base: OverlayStorage
    let bottom: MemoryStorage

    func upload(_ body: UploadBody, to name: StorageName, options: UploadOptions) async throws -> UploadedFile {
        var file = try await base.upload(body, to: name, options: options)
        let contents = try await base.upper.open(file.name)
        var options = UploadOptions(ifExists: .replace)
        options.contentType = contents.info.contentType
        options.contentDisposition = contents.info.contentDisposition
        options.cacheControl = contents.info.cacheControl
        options.metadata = contents.info.metadata
        let sunk = try await bottom.upload(.stream(contents), to: file.name, options: options)
        try await base.upper.delete(file.name)
        file.entityTag = sunk.entityTag
        return file
    }

    func info(for name: StorageName) async throws -> FileInfo {
        let info = try await base.info(for: name)
        // Copies do not sink.
        if info.isInherited { #expect(try await bottom.exists(name)) }
        return info
    }
}
