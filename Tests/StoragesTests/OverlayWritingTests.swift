import NIOCore
import StoredFilesTesting
import TestSupport
import Testing

@testable import Storages

@Suite("OverlayStorage: writing")
struct OverlayWritingTests {
    private let name = StorageName(unchecked: "docs/a.txt")
    private let down = StorageError(.unavailable, "down")

    private func scene() async throws -> OverlayFixture { try await OverlayFixture(below: ["docs/a.txt"]) }

    // MARK: Deleting

    @Test("A name that is deleted in an overlay is gone, and the lower storage keeps its file")
    func deletes() async throws {
        let scene = try await scene()
        try await scene.overlay.put("above", "docs/a.txt", ifExists: .replace)
        #expect(try await scene.text("docs/a.txt") == "above")
        try await scene.overlay.delete(name)
        #expect(try await scene.text("docs/a.txt") == nil)
        #expect(try await scene.hiddenNames(among: ["docs/a.txt"]) == ["docs/a.txt"])
        #expect(await storageErrorCode { _ = try await scene.overlay.copy(name, to: name) } == .notFound)
        try await scene.overlay.delete(name)
        #expect(try await scene.below.text("docs/a.txt") == "below")
        #expect(try await scene.above.names() == [])
        #expect(scene.lower.writes == [])
    }

    @Test("Deleting a name that the lower storage lacks leaves no whiteout")
    func deletesItsOwn() async throws {
        let scene = try await scene()
        try await scene.overlay.put("above", "own")
        #expect(try await scene.overlay.delete(["own", "nobody"].map { StorageName(unchecked: $0) }).isEmpty)
        #expect(try await scene.hiddenNames(among: ["own", "nobody"]) == [])
    }

    @Test("An overlay writes the whiteout before it deletes the file")
    func orderOfDeleting() async throws {
        let scene = try await scene()
        try await scene.overlay.put("above", "docs/a.txt", ifExists: .replace)
        scene.upper.inject(.error(down), into: .delete)
        #expect(await storageErrorCode { try await scene.overlay.delete(name) } == .unavailable)
        #expect(try await scene.hiddenNames(among: ["docs/a.txt"]) == ["docs/a.txt"])
        #expect(try await scene.text("docs/a.txt") == "above")
        try await scene.overlay.delete(name)
        #expect(try await scene.text("docs/a.txt") == nil)
    }

    @Test("A file whose whiteout cannot be written stays, and the other names are deleted")
    func deletesWithoutWhiteout() async throws {
        let scene = try await scene()
        try await scene.overlay.put("above", "docs/a.txt", ifExists: .replace)
        try await scene.overlay.put("above", "own")
        scene.upper.inject(.error(down), into: .upload)
        let failures = try await scene.overlay.delete([name, StorageName(unchecked: "own")])
        #expect(failures.map(\.name) == [name] && failures.map(\.error.code) == [.unavailable])
        #expect(failures.first?.error.name == name.string)
        #expect(try await scene.overlay.names() == ["docs/a.txt"])
        #expect(try await scene.text("docs/a.txt") == "above")
        // Nor where it cannot be found out whether one is needed.
        scene.lower.inject(.error(down), into: .info)
        #expect(try await scene.overlay.delete([name]).map(\.error.code) == [.unavailable])
        #expect(try await scene.text("docs/a.txt") == "above")
    }

    @Test("A purge removes files of the upper storage, and its receipt shows what the lower one keeps")
    func purges() async throws {
        let scene = try await scene()
        try await scene.overlay.put("above", "docs/a.txt", ifExists: .replace)
        try await scene.overlay.put("above", "own")
        let names = [name, StorageName(unchecked: "own"), StorageName(unchecked: "a//b"), StorageName(unchecked: "no")]
        let receipts = try await scene.overlay.purge(names)
        #expect(receipts.map(\.name) == names)
        #expect(receipts.map(\.versionCount) == [1, 1, 0, 0])
        #expect(receipts.map(\.isInherited) == [true, false, false, false])
        #expect(receipts.map(\.error?.code) == [nil, nil, .invalidName, nil])
        #expect("\(receipts[0])".contains("the lower storage keeps a file"))
        #expect(try await scene.text("docs/a.txt") == nil)
        #expect(try await scene.overlay.purge([name]).map(\.versionCount) == [0])
        scene.upper.inject(.error(down), into: .info)
        #expect(try await scene.overlay.purge([name]).map(\.error?.code) == [.unavailable])
        #expect(try await scene.below.text("docs/a.txt") == "below")
        #expect(scene.lower.writes == [])
    }

    @Test("A deletion whose vanished whiteout cannot be written again reports an error")
    func failsToCoverAgain() async throws {
        for operation in [FaultyStorage.Operation.delete, .purge] {
            let scene = try await scene()
            let whiteout = StorageName(unchecked: try OverlayFixture.whiteout(of: name.string))
            scene.upper.inject(.run {}, into: .upload)
            scene.upper.inject(.error(down), into: .upload)
            scene.upper.inject(.run { [above = scene.above] in try await above.delete(whiteout) }, into: operation)
            let codes =
                operation == .delete
                ? try await scene.overlay.delete([name]).map(\.error.code)
                : try await scene.overlay.purge([name]).compactMap(\.error?.code)
            #expect(codes == [.unavailable])
        }
    }

    @Test("Unfinished uploads are abandoned only in the upper storage")
    func abandons() async throws {
        let scene = try await scene()
        try await scene.overlay.abandonUploads(of: [name])
        #expect(scene.upper.count(of: .abandonUploads) == 1 && scene.lower.writes == [])
    }

    // MARK: Storing

    @Test("A name of the lower storage is taken until it is deleted")
    func takenNames() async throws {
        let scene = try await scene()
        let refused = await #expect(throws: StorageError.self) {
            try await scene.overlay.put("new", "docs/a.txt", ifExists: .fail)
        }
        #expect(refused?.code == .alreadyExists && refused?.name == name.string)
        let renamed = try await scene.overlay.put("new", "docs/a.txt", ifExists: .rename)
        #expect(renamed.name != name && renamed.name.string.hasSuffix(".txt") && renamed.name.directory == "docs")
        #expect(try await scene.text("docs/a.txt") == "below")
        #expect(try await scene.text(renamed.name.string) == "new")
        for ifExists in [IfExists.fail, .rename] {
            try await scene.overlay.delete(name)
            #expect(try await scene.overlay.put("new", "docs/a.txt", ifExists: ifExists).name == name)
            #expect(try await scene.text("docs/a.txt") == "new")
        }
        let code = await storageErrorCode {
            _ = try await scene.overlay.copy(renamed.name, to: name, options: .init(ifExists: .fail))
        }
        #expect(code == .alreadyExists && scene.lower.writes == [])
    }

    @Test(
        "A new file removes the whiteout of its name, but only after the upload",
        arguments: [IfExists.fail, .replace, .rename]
    )
    func storesAgain(ifExists: IfExists) async throws {
        let scene = try await scene()
        try await scene.overlay.delete(name)
        scene.upper.reset()
        try await scene.overlay.put("new", "docs/a.txt", ifExists: ifExists)
        let whiteout = StorageName(unchecked: try OverlayFixture.whiteout(of: "docs/a.txt"))
        let writes = scene.upper.writes
        #expect(writes.map(\.operation) == [.upload, .delete] && writes.map(\.names) == [[name], [whiteout]])
        #expect(try await scene.text("docs/a.txt") == "new")
        #expect(try await !scene.above.exists(whiteout))
        // One that fails leaves everything as it was.
        try await scene.overlay.delete(name)
        scene.upper.inject(.error(down), into: .upload)
        await #expect(throws: StorageError.self) {
            try await scene.overlay.put("new", "docs/a.txt", ifExists: ifExists)
        }
        #expect(try await scene.text("docs/a.txt") == nil)
        #expect(try await scene.above.exists(whiteout))
    }

    @Test("A whiteout that cannot be removed does not hide the new file")
    func keepsWhiteout() async throws {
        let scene = try await scene()
        try await scene.overlay.delete(name)
        scene.upper.inject(.error(down), into: .delete)
        try await scene.overlay.put("new", "docs/a.txt")
        #expect(try await scene.hiddenNames(among: ["docs/a.txt"]) == ["docs/a.txt"])
        #expect(try await scene.text("docs/a.txt") == "new")
        #expect(
            await storageErrorCode { try await scene.overlay.put("x", "docs/a.txt", ifExists: .fail) } == .alreadyExists
        )
        try await scene.overlay.delete(name)
        #expect(try await scene.text("docs/a.txt") == nil)
    }

    @Test("An overlay whose lower storage is unavailable stores only replacements")
    func lowerIsDown() async throws {
        let scene = try await scene()
        for ifExists in [IfExists.fail, .rename] {
            scene.lower.inject(.error(down), into: .info)
            let code = await storageErrorCode { try await scene.overlay.put("x", "docs/a.txt", ifExists: ifExists) }
            #expect(code == .unavailable)
        }
        #expect(try await scene.above.names() == [])
        scene.lower.inject(.error(down), into: .info)
        try await scene.overlay.put("new", "docs/a.txt", ifExists: .replace)
        #expect(try await scene.above.text("docs/a.txt") == "new")
    }

    // MARK: Two at once

    @Test("A file that is deleted while an upload removes its whiteout stays deleted")
    func deletedWhileStored() async throws {
        let scene = try await scene()
        try await scene.overlay.delete(name)
        let other = try OverlayStorage(upper: scene.above, lower: scene.below)
        scene.upper.inject(.run { [name] in try await other.delete(name) }, into: .delete)
        try await scene.overlay.put("new", "docs/a.txt")
        #expect(try await scene.text("docs/a.txt") == nil)
        #expect(try await scene.hiddenNames(among: ["docs/a.txt"]) == ["docs/a.txt"])
    }

    @Test("A file stored while its name is being deleted is removed, and the lower one stays hidden")
    func storedWhileDeleted() async throws {
        let scene = try await scene()
        let other = try OverlayStorage(upper: scene.above, lower: scene.below)
        scene.upper.inject(.run { try await other.put("new", "docs/a.txt", ifExists: .replace) }, into: .delete)
        try await scene.overlay.delete(name)
        #expect(try await scene.text("docs/a.txt") == nil)
        scene.upper.inject(.run { try await other.put("new", "docs/a.txt", ifExists: .replace) }, into: .purge)
        #expect(try await scene.overlay.purge([name]).map(\.versionCount) == [1])
        #expect(try await scene.text("docs/a.txt") == nil)
    }

    @Test("An upload that cannot find out whether its file was deleted meanwhile is outcomeUnknown")
    func unknownOutcome() async throws {
        let scene = try await scene()
        try await scene.overlay.delete(name)
        let number = scene.upper.count(of: .info)
        // The whiteout is looked for first, then, after the upload, the file.
        scene.upper.inject(.run {}, into: .info)
        scene.upper.inject(.error(down), into: .info)
        #expect(await storageErrorCode { try await scene.overlay.put("new", "docs/a.txt") } == .outcomeUnknown)
        #expect(scene.upper.count(of: .info) == number + 2)
        #expect(try await scene.text("docs/a.txt") == "new")
    }

    @Test("Concurrent uploads and deletions of one name never bring the file of the lower storage back")
    func storm() async throws {
        let scene = try await scene()
        try await scene.overlay.delete(name)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<6 {
                group.addTask {
                    for _ in 0..<50 {
                        if task % 2 == 0 {
                            try await scene.overlay.put("new", "docs/a.txt", ifExists: .replace)
                        } else {
                            try await scene.overlay.delete(name)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await scene.text("docs/a.txt") != "below")
        #expect(scene.lower.writes == [])
    }

    // MARK: Copies

    @Test("A copy of a file of the lower storage is stored in the upper one, with its metadata")
    func copies() async throws {
        let scene = try await scene()
        let options = UploadOptions(
            contentType: "application/x-special",
            contentDisposition: "attachment",
            cacheControl: "max-age=60",
            metadata: ["author": "somebody"]
        )
        let bytes = ByteBuffer(repeating: 7, count: 600_000)
        let source = StorageName(unchecked: "source.bin")
        _ = try await scene.below.upload(.buffer(bytes), to: source, options: options)
        let copy = try await scene.overlay.copy(source, to: StorageName(unchecked: "copy.dat"))
        let info = try await scene.above.info(for: copy.name)
        #expect(info.contentType == "application/x-special" && info.contentDisposition == "attachment")
        #expect(info.cacheControl == "max-age=60" && info.metadata == ["author": "somebody"])
        #expect(try await scene.above.open(copy.name).collect(upTo: 600_000) == bytes)
        // Onto itself: from then on it is the upper storage's.
        let own = try await scene.overlay.copy(source, to: source, options: UploadOptions(ifExists: .replace))
        #expect(own.name == source)
        #expect(try await !scene.overlay.info(for: source).isInherited)
        let code = await storageErrorCode {
            _ = try await scene.overlay.copy(name, to: StorageName(unchecked: "x"), options: .init(maxBytes: 4))
        }
        #expect(code == .tooLarge)
        scene.lower.inject(.breakAfter(bytes: 2, down), into: .open)
        let cut = await storageErrorCode { _ = try await scene.overlay.copy(name, to: StorageName(unchecked: "x")) }
        #expect(cut == .unavailable)
        #expect(try await scene.overlay.names("x") == [])
        #expect(scene.lower.writes == [])
    }

    @Test("A copy onto a deleted name removes its whiteout")
    func copiesOntoDeleted() async throws {
        let scene = try await scene()
        try await scene.below.put("other", "other")
        try await scene.overlay.delete(name)
        _ = try await scene.overlay.copy(StorageName(unchecked: "other"), to: name, options: .init(ifExists: .fail))
        #expect(try await scene.text("docs/a.txt") == "other")
        #expect(try await scene.hiddenNames(among: ["docs/a.txt"]) == [])
        try await scene.overlay.delete(StorageName(unchecked: "other"))
        let again = try await scene.overlay.copy(name, to: StorageName(unchecked: "other"))
        #expect(again.name.string == "other")
        #expect(scene.upper.count(of: .copy) == 3)
    }

    @Test("A copy to a file system drops the metadata, and a compressed file is not copied")
    func copiesElsewhere() async throws {
        let fixture = try FileSystemFixture()
        let below = MemoryStorage()
        let options = UploadOptions(contentType: .plainText, metadata: ["author": "somebody"])
        _ = try await below.upload(.string("below"), to: name, options: options)
        _ = try await below.upload(.string("<script>"), to: StorageName(unchecked: "a.html"))
        let overlay = try OverlayStorage(upper: fixture.storage(), lower: CodedStorage(base: below, coded: "coded"))
        #expect(try await overlay.copy(name, to: StorageName(unchecked: "b.txt")).byteCount == 5)
        #expect(try await overlay.text("b.txt") == "below")
        // What a browser would run must not be served as something else because of its new name.
        let active = await storageErrorCode {
            _ = try await overlay.copy(StorageName(unchecked: "a.html"), to: StorageName(unchecked: "a.jpg"))
        }
        #expect(active == .wrongType)
        try await below.put("x", "coded")
        let coded = await storageErrorCode {
            _ = try await overlay.copy(StorageName(unchecked: "coded"), to: StorageName(unchecked: "c"))
        }
        #expect(coded == .unsupported)
        #expect(try fixture.remains() == ["b.txt"])
    }

    @Test("An overlay can be the upper or the lower storage of another one")
    func nests() async throws {
        let (top, middle, bottom) = (MemoryStorage(), MemoryStorage(), MemoryStorage())
        for name in ["a", "b", "c", "d"] { try await bottom.put("bottom", name) }
        let inner = try OverlayStorage(upper: middle, lower: bottom)
        try await inner.delete(StorageName(unchecked: "a"))
        try await inner.put("middle", "b", ifExists: .replace)
        let frozen = inner.readOnly
        let outer = try OverlayStorage(upper: top, lower: frozen)
        #expect(try await outer.names() == ["b", "c", "d"])
        #expect(try await outer.delete([StorageName(unchecked: "b"), StorageName(unchecked: "c")]).isEmpty)
        #expect(try await outer.names() == ["d"])
        #expect(try await inner.names() == ["b", "c", "d"])
        #expect(frozen.writes == [])

        let (first, second) = (MemoryStorage(), MemoryStorage())
        for number in 0..<600 { try await second.put("second", "s/\(number)") }
        try await first.put("first", "f")
        // What hides a file from an overlay whose storage this was once is none of this one's business.
        try await first.put("s/7", OverlayFixture.whiteout(of: "s/7"))
        let two = try OverlayStorage(upper: OverlayStorage(upper: top, lower: first), lower: second)
        #expect(try await two.delete([StorageName(unchecked: "f"), StorageName(unchecked: "s/1")]).isEmpty)
        #expect(try await two.names().count == 599)
        try await two.put("new", "s/1")
        try await two.put("new", "f")
        #expect(try await two.names().count == 601)
        #expect(try await two.text("s/1") == "new")
        #expect(try await two.text("f") == "new")
        #expect(try await first.text("f") == "first")
    }
}

/// A storage in memory that says of one file that it is compressed.
private struct CodedStorage: ForwardingStorage {
    let base: MemoryStorage
    let coded: String

    var label: String { base.label }

    func open(_ name: StorageName, options: OpenOptions) async throws -> StoredContents {
        let contents = try await base.open(name, options: options)
        var info = contents.info
        if name.string == coded { info.contentEncoding = "gzip" }
        return StoredContents(info: info, range: contents.range, chunks: contents)
    }
}
