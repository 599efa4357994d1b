import Foundation
import NIOCore
import TestSupport
import Testing

@testable import Storages

@Suite("FileSystemStorage: reading, listing, deleting")
struct FileSystemReadingTests {
    let fixture: FileSystemFixture
    let storage: FileSystemStorage

    init() throws {
        fixture = try FileSystemFixture()
        storage = try fixture.storage()
    }

    private func name(_ text: String) throws -> StorageName { try StorageName(validating: text) }

    @Test(
        "Reading a range gives exactly its bytes",
        arguments: [
            (ByteRange.bytes(0..<5), 0..<5), (.bytes(999_990..<2_000_000), 999_990..<1_000_000),
            (.first(300_000), 0..<300_000),
            (.last(7), 999_993..<1_000_000), (.from(700_000), 700_000..<1_000_000), (.last(5_000_000), 0..<1_000_000),
        ]
    )
    func ranges(range: ByteRange, expected: Range<Int>) async throws {
        let source = PatternSource(byteCount: 1_000_000)
        _ = try await storage.upload(.stream(source), to: name("f"), options: .init())
        var all = ByteBuffer()
        for try await chunk in source { all.writeImmutableBuffer(chunk) }
        let contents = try await storage.open(name("f"), range: range)
        #expect(contents.range == Int64(expected.lowerBound)..<Int64(expected.upperBound))
        #expect(contents.info.byteCount == 1_000_000)
        var read = ByteBuffer()
        for try await chunk in contents {
            #expect(chunk.readableBytes <= 256 * 1024)
            read.writeImmutableBuffer(chunk)
        }
        #expect(read == all.getSlice(at: expected.lowerBound, length: expected.count))
    }

    @Test("Hidden files of network file systems are not listed, and their names are invalid")
    func deletedButOpen() async throws {
        let hidden = [".nfs00000000013f0b2d00000a12", ".fuse_hidden0000002b00000001", ".smb0123456789abcdef01234567"]
        let others = [".nfs", ".nfsrc", ".nfs-00000001", ".fuse_hidden", ".nfs0000000g", ".nfs12345"]
        for name in hidden + others { try fixture.write("x", to: fixture.root + "/d/" + name) }
        #expect(try await storage.names() == others.map { "d/" + $0 }.sorted())
        for name in hidden {
            #expect(await storageErrorCode { try await storage.put("x", "e/" + name) } == .invalidName)
        }
        for name in others { try await storage.put("x", "e/" + name) }
        #expect(try await storage.put("x", hidden[0] + "/a").byteCount == 1)
    }

    @Test("Errors about a range outside the file and about a missing file have name and storage")
    func typedErrors() async throws {
        try await storage.put("abc", "f")
        do {
            _ = try await storage.open(name("f"), range: .from(4))
            Issue.record("opened")
        } catch let error as StorageError {
            #expect(error.code == .invalidRange)
            #expect(error.name == "f")
            #expect(error.storage == storage.label)
        }
        do {
            _ = try await storage.open(name("g"))
            Issue.record("opened")
        } catch let error as StorageError {
            #expect(error.code == .notFound)
            #expect(error.name == "g")
            #expect(error.storage == "FileSystemStorage(\(fixture.root))")
            #expect(error.underlying is SystemCallFailure)
        }
        #expect(try await storage.size(of: name("g")) == 0)
    }

    @Test("A reader keeps its version when the file is replaced or deleted", arguments: [true, false])
    func readerKeepsVersion(replacing: Bool) async throws {
        let old = String(repeating: "old ", count: 300_000)
        try await storage.put(old, "f")
        let contents = try await storage.open(name("f"))
        var iterator = contents.makeAsyncIterator()
        var text = try await String(buffer: #require(iterator.next()))
        if replacing {
            try await storage.put(String(repeating: "new ", count: 300_000), "f", ifExists: .replace)
        } else {
            #expect(try await storage.delete([name("f")]).isEmpty)
        }
        while let chunk = try await iterator.next() { text += String(buffer: chunk) }
        #expect(text == old)
    }

    @Test("A file that is cut or rewritten in place while it is read gives an error", arguments: [true, false])
    func changedInPlace(cutting: Bool) async throws {
        try await storage.put(String(repeating: "old ", count: 300_000), "f")
        var iterator = try await storage.open(name("f")).makeAsyncIterator()
        _ = try await iterator.next()
        let file = try #require(FileHandle(forWritingAtPath: fixture.root + "/f"))
        if cutting {
            try file.truncate(atOffset: 300_000)
        } else {
            try file.write(contentsOf: Data(repeating: 1, count: 1_200_000))
        }
        try file.close()
        let code = await storageErrorCode { while try await iterator.next() != nil {} }
        #expect(code == .changedDuringRead)
    }

    @Test("A short file that is rewritten in place while it is opened gives an error")
    func changedWhileOpening() async throws {
        try await storage.put(String(repeating: "old ", count: 1000), "f")
        let path = fixture.root + "/f"
        // Old enough for the rewriting to show in the time of change, whatever the kernel's clock.
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: path)
        let descriptor = try storage.directory.open("f", flags: O_RDONLY)
        let code = await storageErrorCode {
            _ = try storage.openedFile(descriptor, named: name("f"), range: nil, ifMatch: nil) {
                (count, offset, descriptor) in
                let buffer = try SystemCall.read(count, at: offset, from: descriptor)
                let file = try #require(FileHandle(forWritingAtPath: path))
                try file.write(contentsOf: Data("new ".utf8))
                try file.close()
                return buffer
            }
        }
        #expect(code == .changedDuringRead)
    }

    #if os(Linux)
        @Test("A file is closed with its last chunk, even if its contents are still referenced")
        func closesWithTheLastChunk() async throws {
            try await storage.put(String(repeating: "old ", count: 300_000), "f")
            let contents = try await storage.open(name("f"))
            var iterator = contents.makeAsyncIterator()
            _ = try await iterator.next()
            #expect(try openDescriptors(of: fixture.root + "/f") == 1)
            while try await iterator.next() != nil {}
            #expect(try openDescriptors(of: fixture.root + "/f") == 0)
            do {
                var abandoned = try await storage.open(name("f")).makeAsyncIterator()
                _ = try await abandoned.next()
            }
            #expect(try openDescriptors(of: fixture.root + "/f") == 0)
            withExtendedLifetime((contents, iterator)) {}
        }

        private func openDescriptors(of path: String) throws -> Int {
            let path = try #require(
                realpath(path, nil).map { pointer in
                    defer { free(pointer) }
                    return String(cString: pointer)
                }
            )
            return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { number in
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + number)) == path
            }
        }
    #endif

    @Test("Entity tags differ between versions of equal size that are stored at the same moment")
    func entityTags() async throws {
        var tags: Set<String> = []
        for round in 0..<50 {
            let file = try await storage.put("same", "f", ifExists: .replace)
            if round % 3 == 0 { #expect(try await storage.delete([file.name]).isEmpty) }
            tags.insert(try #require(file.entityTag))
        }
        #expect(tags.count == 50)
        let file = try await storage.put("last", "f", ifExists: .replace)
        let contents = try await storage.open(file.name, options: OpenOptions(ifMatch: file.entityTag))
        #expect(contents.info.entityTag == file.entityTag)
        let other = try #require(tags.first)
        let code = await storageErrorCode { _ = try await storage.open(file.name, options: .init(ifMatch: other)) }
        #expect(code == .preconditionFailed)
    }

    @Test("Listings are in the byte order of the full names")
    func listingOrder() async throws {
        let names = ["a-b", "a.txt", "a/b", "a/b.c", "a/b0/x", "a0", "aé", "b/c/d/e", "z", "é/ü", "B", "a/b-/x"]
        // "a/b" is a file, so "a/b0" and "a/b-" are what sorts around a directory "a/b…".
        for name in names.shuffled() { try await storage.put(name, name) }
        let expected = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try await storage.names() == expected)
        let prefixes = [
            "a", "a/", "a/b", "a/b-", "a/b0/", "é", "é/", "b/c/d/e", "b/c/d/e/", "zz", "/", "../", "a//", "\u{C3}",
        ]
        for prefix in prefixes {
            #expect(
                try await storage.names(prefix) == expected.filter { $0.utf8.starts(with: prefix.utf8) },
                "prefix \(prefix)"
            )
        }
        for try await file in storage.list(prefix: "a/b.c") {
            #expect(file.byteCount == 5)
            #expect(file.entityTag == (try await storage.info(for: file.name).entityTag))
        }
    }

    @Test("A listing with a prefix follows no links and leaves out impossible names")
    func listingPrunes() async throws {
        try await storage.put("x", "wanted/a")
        try await storage.put("x", "other/b")
        // Links to itself would be read for ever by a walk that follows; impossible names are left out, others are
        // listed as they are.
        try fixture.link(fixture.root + "/wanted/loop", to: ".")
        try fixture.write("x", to: fixture.root + "/wanted/back\\slash")
        try fixture.write("x", to: fixture.root + "/wanted/e\u{301}")
        #expect(
            try await storage.names("wan").map { Array($0.utf8) }
                == ["wanted/a", "wanted/e\u{301}"].map { Array($0.utf8) }
        )
        #expect(try await storage.names() == ["other/b", "wanted/a", "wanted/e\u{301}"])
    }

    @Test("A directory with more entries than a batch is listed completely and in order")
    func largeDirectory() async throws {
        // More than twice the batch of 8192, so that the smallest are selected while reading.
        let count = 17_000
        let directory = fixture.root + "/many"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for number in 0..<count {
            let descriptor = creat("\(directory)/\(number)", 0o644)
            try #require(descriptor >= 0)
            close(descriptor)
        }
        let expected = (0..<count).map { "many/\($0)" }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        #expect(try await storage.names("m") == expected)
        #expect(try await storage.names("many/123") == expected.filter { $0.hasPrefix("many/123") })
    }

    @Test("Deleting is idempotent and removes only directories that become empty")
    func deleting() async throws {
        let storage = try fixture.storage(durability: .fsync)
        for path in ["a/b/c/1", "a/b/c/2", "a/x", "y"] { try await storage.put("x", path) }
        #expect(
            try await storage.delete([name("a/b/c/1"), name("missing"), name("missing/too"), name("y/below")]).isEmpty
        )
        #expect(try fixture.remains() == ["a/", "a/b/", "a/b/c/", "a/b/c/2", "a/x", "y"])
        #expect(try await storage.delete([name("a/b/c/2"), name("a/b")]).isEmpty)
        #expect(try fixture.remains() == ["a/", "a/x", "y"])
        let many = try (0..<300).map { try name("m/\($0)/f") }
        let quick = try fixture.storage()
        for name in many { try await quick.put("x", name.string) }
        #expect(try await storage.delete(many + [name("a/x"), name("y")]).isEmpty)
        #expect(try fixture.remains() == [])
        #expect(FileManager.default.fileExists(atPath: fixture.root))
    }

    @Test("A copy is independent of its original", arguments: [10, 1_500_000])
    func copying(size: Int) async throws {
        let text = String(repeating: "c", count: size)
        let original = try await storage.put(text, "a.txt")
        let copy = try await storage.copy(original.name, to: name("d/b.png"), options: .init(ifExists: .fail))
        #expect(copy.byteCount == Int64(size))
        #expect(copy.sha256 == original.sha256)
        #expect(try await storage.info(for: copy.name).contentType == .png)
        try await storage.put("changed", "a.txt", ifExists: .replace)
        #expect(try await storage.text("d/b.png") == text)
        for (mode, expected) in [
            (IfExists.fail, StorageError.Code.alreadyExists as StorageError.Code?), (.rename, nil),
        ] {
            let code = await storageErrorCode {
                _ = try await storage.copy(original.name, to: name("d/b.png"), options: .init(ifExists: mode))
            }
            #expect(code == expected)
        }
        #expect(try await storage.names("d/").count == 2)
        let missing = await storageErrorCode {
            _ = try await storage.copy(name("missing"), to: name("e/f"), options: .init())
        }
        #expect(missing == .notFound)
        #expect(try !fixture.everything().contains("e/"))
    }
}
