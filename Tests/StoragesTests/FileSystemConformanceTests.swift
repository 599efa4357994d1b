import Storages
import StoredFilesTesting
import Testing

@Suite("FileSystemStorage: conformance")
struct FileSystemConformanceTests {
    let fixture: FileSystemFixture

    init() throws {
        fixture = try FileSystemFixture()
    }

    @Test(
        "FileSystemStorage with fsync and signed URLs passes every conformance check",
        arguments: StorageConformance.checks
    )
    func signing(check: StorageConformance.Check) async throws {
        let key = [UInt8](repeating: 7, count: 32)
        try await StorageConformance.run(check) {
            try fixture.storage(baseURL: "https://example.org/m", signingKey: key, durability: .fsync)
        }
        #expect(try fixture.remains() == [])
    }

    @Test("FileSystemStorage without openat2 passes every conformance check", arguments: StorageConformance.checks)
    func checkingSteps(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { try fixture.storage(checksSteps: true) }
        #expect(try fixture.remains() == [])
    }

    @Test(
        "FileSystemStorage passes every conformance check with each way to place a file",
        arguments: StorageConformance.checks,
        [FileSystemProbe.Placement.link, .exclusiveRename, .placeholder]
    )
    func placing(check: StorageConformance.Check, placement: FileSystemProbe.Placement) async throws {
        try await StorageConformance.run(check) { try fixture.storage(placements: [placement]) }
        #expect(try fixture.remains() == [])
    }

    @Test("PrefixedStorage over FileSystemStorage passes every conformance check", arguments: StorageConformance.checks)
    func prefixed(check: StorageConformance.Check) async throws {
        try await StorageConformance.run(check) { try PrefixedStorage(prefix: "tenants/42", of: fixture.storage()) }
        #expect(try fixture.remains() == [])
    }
}
