import Foundation
import Storages
import StoredFilesTesting
import Testing

struct StorageLocationTests {
    private static func location(_ storage: any Storage) -> StorageLocation { StorageLocation(of: storage) }

    @Test("Two storages in memory have different locations, whatever their names")
    func memory() {
        let storage = MemoryStorage(name: "media")
        #expect(Self.location(storage) == Self.location(storage))
        #expect(Self.location(storage) != Self.location(MemoryStorage(name: "media")))
        #expect(!Self.location(storage).overlaps(Self.location(MemoryStorage(name: "media"))))
    }

    @Test("A directory has one location by every path, and lies within the directories above it")
    func fileSystem() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("places-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let storage = try FileSystemStorage(root: root + "/media")
        let inner = try FileSystemStorage(root: root + "/media/tenants")
        let beside = try FileSystemStorage(root: root + "/media-old")
        try FileManager.default.createSymbolicLink(atPath: root + "/link", withDestinationPath: root + "/media")
        let linked = try FileSystemStorage(root: root + "/link/../media/./")
        #expect(Self.location(storage) == Self.location(linked))
        #expect(Self.location(storage) != Self.location(inner))
        #expect(Self.location(storage).overlaps(Self.location(inner)))
        #expect(Self.location(inner).overlaps(Self.location(linked)))
        #expect(!Self.location(storage).overlaps(Self.location(beside)))
        // A prefix and the directory that it is.
        #expect(Self.location(inner) == Self.location(try PrefixedStorage(prefix: "tenants", of: storage)))
    }

    @Test(
        "Two prefixes overlap if one equals or contains the other by whole segments",
        arguments: [
            ("a", "a", true), ("a", "a/b", true), ("a/b", "a", true), ("a", "ab", false), ("a/b", "a/c", false),
        ]
    )
    func prefixes(_ first: String, _ second: String, overlap: Bool) throws {
        let base = MemoryStorage()
        let places = try [first, second].map { Self.location(try PrefixedStorage(prefix: $0, of: base)) }
        #expect(places[0].overlaps(places[1]) == overlap)
        #expect(places[1].overlaps(places[0]) == overlap)
        #expect(places[0].overlaps(Self.location(base)))
        #expect((places[0] == places[1]) == Array(first.utf8).elementsEqual(second.utf8))
    }

    @Test("A decorator that forwards the location has the files of its base storage")
    func decorators() throws {
        let base = MemoryStorage()
        let faulty = FaultyStorage(base)
        #expect(Self.location(faulty) == Self.location(base))
        #expect(try StorageFile(name: "a", in: faulty) == StorageFile(name: "a", in: base))
        let prefixed = try PrefixedStorage(prefix: "b", of: try PrefixedStorage(prefix: "a", of: faulty))
        #expect(Self.location(prefixed) == Self.location(try PrefixedStorage(prefix: "a/b", of: base)))
        #expect(StorageLocation(address: "ftp://h/a") != StorageLocation(address: "ftp://h/b"))
    }

    @Test("A registry refuses two ids that share files, and the error names both")
    func registry() throws {
        let base = MemoryStorage()
        let inside = try PrefixedStorage(prefix: "inside", of: base)
        try StorageRegistry(["a": inside, "b": try PrefixedStorage(prefix: "beside", of: base), "c": MemoryStorage()])
            .validate()
        for second in [base, FaultyStorage(base), inside] as [any Storage] {
            let error = #expect(throws: StorageError.self) {
                try StorageRegistry(["covers": base, "documents": second, "other": MemoryStorage()]).validate()
            }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(#""covers" and "documents""#) == true)
        }
    }
}
