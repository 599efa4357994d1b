import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import Storages

@Suite("OverlayStorage: listings")
struct OverlayListingTests {
    /// A lower storage with many files, of which every third is covered, every fourth hidden.
    private func fill(_ fixture: OverlayFixture, _ count: Int) async throws -> [String] {
        var expected: Set<String> = ["a-b", "b/é"]
        for number in 0..<count {
            let name = "b/\(number)"
            try await fixture.below.put("below", name)
            if number % 4 == 0 {
                try await fixture.overlay.delete(StorageName(validating: name))
            } else if number % 3 == 0 {
                try await fixture.overlay.put("above", name, ifExists: .replace)
            }
            if number % 4 != 0 { expected.insert(name) }
        }
        for name in ["a-b", "b/é"] { try await fixture.above.put("above", name) }
        return expected.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    @Test("An overlay lists both storages in byte order, without covered and hidden files", arguments: [10, 1500])
    func merges(count: Int) async throws {
        let fixture = try await OverlayFixture()
        let expected = try await fill(fixture, count)
        #expect(try await fixture.overlay.names() == expected)
        #expect(try await fixture.overlay.names("b/1") == expected.filter { $0.hasPrefix("b/1") })
        #expect(try await fixture.overlay.names("c") == [])
        for try await file in fixture.overlay.list() {
            let isAbove = try await fixture.above.exists(file.name)
            #expect(file.isInherited != isAbove)
        }
        #expect(fixture.lower.writes == [])
    }

    @Test("A short listing of an overlay checks single names, a long one lists the whiteouts once")
    func requests() async throws {
        let fixture = try await OverlayFixture()
        let expected = try await fill(fixture, 1500)
        fixture.upper.reset()
        let prefix = "b/77"
        #expect(try await fixture.overlay.names(prefix) == expected.filter { $0.hasPrefix(prefix) })
        // Of the 11 names 3 are covered; 8 can be hidden.
        #expect(fixture.upper.count(of: .info) == 8 && fixture.upper.count(of: .list) == 1)
        fixture.upper.reset()
        #expect(try await fixture.overlay.names() == expected)
        #expect(fixture.upper.count(of: .info) <= 512 && fixture.upper.count(of: .list) == 2)
    }

    @Test("The first file of an overlay is found with few requests")
    func first() async throws {
        let fixture = try await OverlayFixture()
        _ = try await fill(fixture, 200)
        fixture.upper.reset()
        var files = fixture.overlay.list().makeAsyncIterator()
        #expect(try await files.next()?.name.string == "a-b")
        #expect(fixture.upper.count(of: .info) <= 16)
    }

    @Test("An overlay with more whiteouts than it keeps checks every name")
    func manyWhiteouts() async throws {
        let names = (0..<40).map { "\($0)" }
        let fixture = try await OverlayFixture(below: names)
        for name in names.prefix(20) { try await fixture.overlay.delete(StorageName(validating: name)) }
        for (kept, infos) in [(20, 0), (19, 40)] {
            var filter = WhiteoutFilter(fixture.overlay.whiteouts, askedAtMost: 0, keptAtMost: kept)
            fixture.upper.reset()
            let isHidden = try await filter.isHidden(names.map { StorageName(unchecked: $0) })
            #expect(isHidden == names.indices.map { $0 < 20 })
            #expect(fixture.upper.count(of: .info) == infos && fixture.upper.count(of: .list) == 1)
        }
    }

    @Test("Whiteouts work through decorators and in the file system, and are not listed")
    func whiteoutsThroughDecorators() async throws {
        let fixture = try FileSystemFixture()
        let upper = FaultyStorage(try PrefixedStorage(prefix: "staging", of: FaultyStorage(fixture.storage())))
        let below = MemoryStorage()
        for number in 0..<600 { try await below.put("below", "\(number)") }
        let overlay = try OverlayStorage(upper: upper, lower: below)
        let hidden = (0..<600).filter { $0 % 2 == 0 }
        #expect(try await overlay.delete(hidden.map { StorageName(unchecked: "\($0)") }).isEmpty)
        #expect(try await overlay.names().count == 300)
        #expect(upper.count(of: .list) == 2)
        #expect(try await upper.names() == [])
        let path = "staging/" + (try OverlayFixture.whiteout(of: "598"))
        #expect(try fixture.remains().contains(path))
    }

    @Test("An overlay also merges a storage that lists in no order", arguments: [true, false])
    func unordered(isUpper: Bool) async throws {
        let (above, below) = (MemoryStorage(), MemoryStorage())
        for number in 0..<700 { try await below.put("below", "b/\(number)") }
        let overlay = try OverlayStorage(
            upper: isUpper ? UnorderedStorage(base: above) as any Storage : above,
            lower: isUpper ? below as any Storage : UnorderedStorage(base: below)
        )
        try await overlay.put("above", "b/1", ifExists: .replace)
        try await overlay.put("above", "a")
        try await overlay.delete(StorageName(validating: "b/2"))
        let names = try await overlay.names()
        let expected = Set((0..<700).map { "b/\($0)" }).subtracting(["b/2"]).union(["a"])
        #expect(names.count == 700 && Set(names) == expected)
        for try await file in overlay.list() where !["a", "b/1"].contains(file.name.string) {
            #expect(file.isInherited)
        }
    }

    @Test("An error of either storage of an overlay ends the listing")
    func errors() async throws {
        let fixture = try await OverlayFixture(below: ["a"])
        let down = StorageError(.unavailable, "down")
        for (storage, operation) in [
            (fixture.upper, FaultyStorage.Operation.list), (fixture.lower, .list), (fixture.upper, .info),
        ] {
            storage.inject(.error(down), into: operation)
            #expect(await storageErrorCode { _ = try await fixture.overlay.names() } == .unavailable)
        }
        #expect(try await fixture.overlay.names() == ["a"])
    }
}
