import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import Storages

@Suite("OverlayStorage: reading")
struct OverlayReadingTests {
    @Test("A file that the upper storage lacks is read from the lower one and marked as inherited")
    func fallsThrough() async throws {
        let fixture = try await OverlayFixture(below: ["a", "both"])
        try await fixture.above.put("above", "both")
        try await fixture.above.put("above", "c")
        let expected = [("a", "below", true), ("both", "above", false), ("c", "above", false)]
        for (name, text, isInherited) in expected {
            #expect(try await fixture.text(name) == text)
            let file = try StorageName(validating: name)
            #expect(try await fixture.overlay.info(for: file).isInherited == isInherited)
            #expect(try await fixture.overlay.open(file).info.isInherited == isInherited)
            #expect(try await fixture.overlay.size(of: file) == 5)
            #expect(try await fixture.overlay.open(file, range: .first(2)).collect(upTo: 5).readableBytes == 2)
        }
        var listed: [(String, Bool)] = []
        for try await file in fixture.overlay.list() { listed.append((file.name.string, file.isInherited)) }
        #expect(listed.map(\.0) == expected.map(\.0))
        #expect(listed.map(\.1) == expected.map(\.2))
        #expect(try await fixture.text("nobody") == nil)
        #expect(fixture.lower.writes == [])
    }

    @Test("A file in the upper storage of an overlay is read without a request to the lower one")
    func readsAboveAlone() async throws {
        let fixture = try await OverlayFixture(below: ["a"])
        try await fixture.above.put("above", "a")
        fixture.lower.reset()
        #expect(try await fixture.overlay.text("a") == "above")
        #expect(fixture.lower.calls == [] && fixture.upper.calls.map(\.operation) == [.open])
    }

    @Test("Reserved names of the lower storage are not inherited, at any depth")
    func reservedNames() async throws {
        let names = [".stored-files-owner", "tenants/1/.stored-files-owner", ".stored-files-whiteouts/x"]
        let fixture = try await OverlayFixture(below: names)
        for name in names {
            let file = try StorageName(validating: name)
            #expect(try await !fixture.overlay.exists(file))
            #expect(await storageErrorCode { _ = try await fixture.overlay.open(file) } == .notFound)
            #expect(await storageErrorCode { _ = try await fixture.overlay.copy(file, to: file) } == .notFound)
            #expect(try await fixture.overlay.url(for: file) == fixture.above.url(for: file))
            try await fixture.overlay.put("own", name, ifExists: .fail)
            #expect(try await fixture.overlay.text(name) == "own")
            #expect(try await fixture.overlay.purge([file]).map(\.isInherited) == [false])
            try await fixture.overlay.delete(file)
        }
        #expect(try await fixture.hiddenNames(among: names) == [])
        #expect(try await fixture.overlay.names() == [])
        #expect(fixture.lower.writes == [] && fixture.lower.calls.allSatisfy { $0.operation == .list })
    }

    @Test("The URL of a file in an overlay is that of the storage that has it")
    func urls() async throws {
        let (above, below) = (try FileSystemFixture(), try FileSystemFixture())
        let key = [UInt8](repeating: 7, count: 32)
        let upper = try above.storage(baseURL: "https://staging.example.org/m", signingKey: key)
        let lower = try below.storage(baseURL: "https://example.org/m", signingKey: key)
        for name in ["a", "both", "gone"] { try await lower.put("below", name) }
        let overlay = try OverlayStorage(upper: upper, lower: lower)
        try await overlay.put("above", "both", ifExists: .replace)
        try await overlay.delete(StorageName(validating: "gone"))
        for (name, host) in [("a", ""), ("both", "staging."), ("gone", "staging."), ("nobody", "staging.")] {
            let options = URLOptions(lifetime: .seconds(60))
            let url = try await overlay.url(for: StorageName(validating: name), options: options)
            #expect(url.hasPrefix("https://\(host)example.org/m/\(name)?"))
        }
        let unsigned = try OverlayStorage(upper: upper, lower: MemoryStorage())
        #expect(!unsigned.capabilities.contains(.temporaryURL))
        let code = await storageErrorCode {
            _ = try await unsigned.url(for: StorageName(validating: "both"), options: .init(lifetime: .seconds(60)))
        }
        #expect(code == .unsupported)
    }

    @Test("An overlay has only the capabilities that both storages have")
    func capabilities() throws {
        let memory = MemoryStorage()
        let overlay = try OverlayStorage(upper: memory, lower: FileSystemFixture().storage())
        #expect(overlay.capabilities == [.conditionalUpload, .rangedRead, .orderedListing, .storedMetadata])
        let unordered = try OverlayStorage(upper: memory, lower: UnorderedStorage(base: MemoryStorage()))
        #expect(unordered.capabilities == [.conditionalUpload, .rangedRead, .storedMetadata])
        #expect(overlay.label.hasPrefix("OverlayStorage(MemoryStorage over FileSystemStorage("))
    }

    @Test("An overlay has the location of its upper storage, and its storages must not share files")
    func locations() throws {
        let (bucket, other) = (MemoryStorage(), MemoryStorage())
        let overlay = try OverlayStorage(upper: other, lower: bucket)
        #expect(overlay.location == StorageLocation(of: other))
        try StorageRegistry(["staging": overlay, "production": bucket]).validate()
        #expect(throws: StorageError.self) { try StorageRegistry(["staging": overlay, "own": other]).validate() }
        let staging = try PrefixedStorage(prefix: "staging", of: bucket)
        for (upper, lower) in [(bucket as any Storage, bucket as any Storage), (staging, bucket), (bucket, staging)] {
            let error = #expect(throws: StorageError.self) { try OverlayStorage(upper: upper, lower: lower) }
            #expect(error?.code == .invalidConfiguration)
        }
    }

    @Test("A reader never gets the deleted file of the lower storage while a new one is stored")
    func readsWhileStored() async throws {
        let fixture = try await OverlayFixture(below: ["a"])
        let name = try StorageName(validating: "a")
        try await fixture.overlay.delete(name)
        // The reader has found nothing above and asks for the whiteout, which has just gone.
        let (above, below) = (fixture.above, fixture.below)
        fixture.upper.inject(
            .run {
                _ = try await OverlayStorage(upper: above, lower: below).put("new", "a", ifExists: .replace)
            },
            into: .info
        )
        #expect(try await fixture.overlay.text("a") == "new")
        #expect(try await fixture.hiddenNames(among: ["a"]) == [])
    }

    @Test("An error about a whiteout has the requested name, and is not taken for a missing file")
    func errors() async throws {
        let fixture = try await OverlayFixture(below: ["a"])
        let name = try StorageName(validating: "a")
        fixture.upper.inject(.error(StorageError(.unavailable, "down", name: "x")), into: .info)
        let whiteout = await #expect(throws: StorageError.self) { try await fixture.overlay.open(name) }
        #expect(whiteout?.code == .unavailable && whiteout?.name == "a")
        fixture.lower.inject(.error(StorageError(.unavailable, "down", name: "a")), into: .open)
        #expect(await storageErrorCode { _ = try await fixture.overlay.open(name) } == .unavailable)
        fixture.upper.inject(.error(StorageError(.timeout, "slow", name: "a")), into: .open)
        #expect(await storageErrorCode { _ = try await fixture.overlay.open(name) } == .timeout)
        #expect(try await fixture.overlay.text("a") == "below")
    }
}
