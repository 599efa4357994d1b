import Foundation
import NIOCore
import Storages
import Synchronization
import TestSupport
import Testing

@Suite("FileSystemStorage: uploads")
struct FileSystemUploadTests {
    let fixture: FileSystemFixture

    init() throws {
        fixture = try FileSystemFixture()
    }

    @Test(
        "A stored file is readable and has its SHA-256, and no other file appears",
        arguments: [
            FileSystemStorage.Durability.fsync, .none,
        ]
    )
    func storesAFile(durability: FileSystemStorage.Durability) async throws {
        let storage = try fixture.storage(durability: durability)
        let file = try await storage.put("abc", "a/b/c.txt")
        #expect(file.name.string == "a/b/c.txt")
        #expect(file.byteCount == 3)
        // FIPS 180-2, appendix B.1.
        #expect(file.sha256Hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(try await storage.text("a/b/c.txt") == "abc")
        #expect(try await storage.info(for: file.name).entityTag == file.entityTag)
        #expect(try await storage.info(for: file.name).contentType?.rawValue == "text/plain")
        #expect(try fixture.everything() == ["a/", "a/b/", "a/b/c.txt"])
    }

    @Test(
        "Files of sizes around the chunk size come back byte for byte",
        arguments: [
            0, 1, 262_143, 262_144, 262_145, 524_288, 524_289, 3_000_001,
        ]
    )
    func keepsAllBytes(count: Int) async throws {
        let storage = try fixture.storage()
        let name = try StorageName(validating: "file")
        for length in [nil, Int64(count)] {
            let source = PatternSource(byteCount: Int64(count), chunkSize: 100_000)
            let file = try await storage.upload(
                .stream(source, length: length),
                to: name,
                options: UploadOptions(ifExists: .replace)
            )
            #expect(file.byteCount == Int64(count))
            var expected = ByteBuffer()
            for try await chunk in source { expected.writeImmutableBuffer(chunk) }
            let read = try await storage.open(name).collect(upTo: count)
            #expect(read == expected)
            #expect(try await storage.size(of: name) == Int64(count))
        }
    }

    @Test("An existing file is kept with .fail and .rename, and replaced with .replace")
    func respectsWhatExists() async throws {
        let storage = try fixture.storage()
        try await storage.put("one", "d/a.txt")
        #expect(await storageErrorCode { try await storage.put("two", "d/a.txt") } == .alreadyExists)
        let other = try await storage.put("three", "d/a.txt", ifExists: .rename)
        #expect(other.name.string != "d/a.txt")
        #expect(other.name.string.hasPrefix("d/a") && other.name.string.hasSuffix(".txt"))
        #expect(try await storage.text("d/a.txt") == "one")
        #expect(try await storage.text(other.name.string) == "three")
        try await storage.put("four", "d/a.txt", ifExists: .replace)
        #expect(try await storage.text("d/a.txt") == "four")
        #expect(try fixture.remains() == ["d/", "d/a.txt", other.name.string])
    }

    @Test("A file and a directory cannot share a name")
    func fileAndDirectoryCollide() async throws {
        let storage = try fixture.storage()
        try await storage.put("file", "a")
        for ifExists in [IfExists.fail, .rename, .replace] {
            #expect(await storageErrorCode { try await storage.put("x", "a/b", ifExists: ifExists) } == .alreadyExists)
        }
        #expect(await storageErrorCode { _ = try await storage.open(StorageName(validating: "a/b")) } == .notFound)
        try await storage.put("x", "d/e")
        #expect(await storageErrorCode { try await storage.put("x", "d") } == .alreadyExists)
        #expect(await storageErrorCode { try await storage.put("x", "d", ifExists: .replace) } == .alreadyExists)
        #expect(await storageErrorCode { _ = try await storage.open(StorageName(validating: "d")) } == .notFound)
        #expect(try await storage.put("x", "d", ifExists: .rename).name.string.hasPrefix("d-"))
        #expect(try await storage.text("a") == "file")
        #expect(try fixture.remains().filter { !$0.hasPrefix("d") } == ["a"])
    }

    @Test(
        "Metadata that a file system cannot keep is refused before a byte is read",
        arguments: [
            UploadOptions(contentDisposition: "attachment"),
            UploadOptions(cacheControl: "no-store"),
            UploadOptions(metadata: ["a": "b"]),
        ]
    )
    func refusesMetadata(options: UploadOptions) async throws {
        let storage = try fixture.storage()
        let reads = Atomic(0)
        let source = PatternSource(byteCount: 10, onChunk: { _ in reads.add(1, ordering: .relaxed) })
        let code = await storageErrorCode {
            _ = try await storage.upload(.stream(source), to: StorageName(validating: "a"), options: options)
        }
        #expect(code == .unsupported)
        #expect(reads.load(ordering: .relaxed) == 0)
        #expect(try fixture.everything() == [])
    }

    @Test(
        "An upload whose source fails leaves no file, however far it came",
        arguments: [
            (Int64(0), IfExists.fail), (100_000, .fail), (2_000_000, .fail), (2_000_000, .rename), (100_000, .replace),
            (2_000_000, .replace),
        ]
    )
    func failingSourceLeavesNothing(failsAt: Int64, ifExists: IfExists) async throws {
        let storage = try fixture.storage()
        try await storage.put("old", "kept/file")
        let source = PatternSource(byteCount: 4_000_000, chunkSize: 50_000, failsAt: failsAt)
        for name in ["new/directory/file", "kept/file"] {
            let code = await storageErrorCode {
                _ = try await storage.upload(
                    .stream(source),
                    to: StorageName(validating: name),
                    options: UploadOptions(ifExists: ifExists)
                )
            }
            #expect(code == .sourceFailed)
        }
        #expect(try fixture.remains() == ["kept/", "kept/file"])
        #expect(try await storage.text("kept/file") == "old")
    }

    @Test("An upload with too many bytes, or whose tap throws, leaves no file")
    func limitsLeaveNothing() async throws {
        struct Refusal: Error {}
        let storage = try fixture.storage()
        let name = try StorageName(validating: "x/y")
        for (length, limit) in [(nil, Int64(999_999)), (Int64(1_000_000), 999_999), (nil, 0)] {
            let code = await storageErrorCode {
                _ = try await storage.upload(
                    .stream(PatternSource(byteCount: 1_000_000), length: length),
                    to: name,
                    options: UploadOptions(maxBytes: limit)
                )
            }
            #expect(code == .tooLarge)
        }
        let seen = Atomic(0)
        await #expect(throws: Refusal.self) {
            _ = try await storage.upload(
                .stream(PatternSource(byteCount: 1_000_000, chunkSize: 100_000)),
                to: name,
                options: UploadOptions(
                    ifExists: .replace,
                    tap: { chunk in
                        seen.add(chunk.readableBytes, ordering: .relaxed)
                        if seen.load(ordering: .relaxed) > 600_000 { throw Refusal() }
                    }
                )
            )
        }
        #expect(seen.load(ordering: .relaxed) == 700_000)
        #expect(try fixture.remains() == [])
        _ = try await storage.upload(
            .stream(PatternSource(byteCount: 1_000_000)),
            to: name,
            options: UploadOptions(maxBytes: 1_000_000)
        )
        #expect(try await storage.size(of: name) == 1_000_000)
    }

    @Test(
        "A cancelled upload throws a CancellationError and leaves no file",
        arguments: [
            IfExists.rename, .replace,
        ]
    )
    func cancellationLeavesNothing(ifExists: IfExists) async throws {
        let storage = try fixture.storage()
        let name = try StorageName(validating: "a/b")
        let (started, signal) = AsyncStream<Void>.makeStream()
        let source = PatternSource(
            byteCount: 10_000_000,
            onChunk: { position in
                guard position > 1_000_000 else { return }
                signal.yield()
                try await Task.sleep(for: .seconds(60))
            }
        )
        let task = Task {
            try await storage.upload(.stream(source), to: name, options: UploadOptions(ifExists: ifExists))
        }
        for await _ in started { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try fixture.remains() == [])

        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await storage.put("small", "a/c", ifExists: ifExists)
        }
        await #expect(throws: CancellationError.self) { try await late.value }
        #expect(try fixture.remains() == [])
    }

    @Test("A content type that the file name would hide or make active is refused")
    func typesAndNames() async throws {
        let storage = try fixture.storage()
        let table: [(name: String, type: ContentType, isTaken: Bool)] = [
            ("photo.jpg", .html, false), ("photo.jpg", .svg, false), ("data.json", .xml, false),
            ("page.html", .png, false), ("image.svg", .jpeg, false), ("code.js", .octetStream, false),
            ("photo.jpg", .png, true), ("photo.jpeg", .jpeg, true), ("page.html", .html, true),
            ("drawing.svg", .xml, true), ("README.md", .html, true), ("notes.txt", .xml, true),
            ("LICENSE", .html, true), ("a.unknown", .html, true), ("b.unknown", .png, true),
        ]
        for (name, type, isTaken) in table {
            let code = await storageErrorCode {
                let options = UploadOptions(contentType: type)
                _ = try await storage.upload(.string("x"), to: StorageName(validating: name), options: options)
            }
            #expect(code == (isTaken ? nil : .wrongType), "\(type) as \(name)")
            if !isTaken { #expect(try await !storage.exists(StorageName(validating: name))) }
        }
    }

    @Test("Two Unicode spellings of one name are the same, so the second file gets another name")
    func twinSpellings() async throws {
        let storage = try fixture.storage()
        let composed = try storage.name(for: "caf\u{E9}/re\u{301}sume\u{301}.pdf")
        let decomposed = try storage.name(for: "cafe\u{301}/r\u{E9}sum\u{E9}.pdf")
        #expect(composed == decomposed)
        let first = try await storage.upload(.string("first"), to: composed)
        let second = try await storage.upload(.string("second"), to: decomposed)
        #expect(first.name == composed && second.name != composed)
        #expect(second.name.directory == composed.directory)
        #expect(try await storage.text(first.name.string) == "first")
        #expect(try await storage.text(second.name.string) == "second")
        #expect(await storageErrorCode { try await storage.put("x", composed.string) } == .alreadyExists)
    }

    @Test("Progress is reported after each part and at the end")
    func reportsProgress() async throws {
        let storage = try fixture.storage()
        let (reports, sink) = AsyncStream<TransferProgress>.makeStream()
        _ = try await storage.upload(
            .stream(PatternSource(byteCount: 1_000_000), length: 1_000_000),
            to: StorageName(validating: "a"),
            options: UploadOptions(progress: { sink.yield($0) })
        )
        sink.finish()
        var counts: [Int64] = []
        for await report in reports {
            #expect(report.totalBytes == 1_000_000)
            counts.append(report.completedBytes)
        }
        #expect(counts.first == 262_144)
        #expect(counts == counts.sorted())
        #expect(counts.last == 1_000_000)
    }

    @Test("One of several concurrent writers of one name wins, and the file is never a mix")
    func oneWriterWins() async throws {
        let storage = try fixture.storage()
        for round in 0..<40 {
            let name = try StorageName(validating: "round\(round)/file")
            let size = round % 2 == 0 ? 1000 : 300_000
            let winners = await withTaskGroup(of: UInt8?.self) { group in
                for writer in UInt8(1)...6 {
                    group.addTask {
                        let body = UploadBody.bytes([UInt8](repeating: writer, count: size))
                        let options = UploadOptions(ifExists: .fail)
                        return (try? await storage.upload(body, to: name, options: options)) == nil ? nil : writer
                    }
                }
                return await group.reduce(into: [UInt8]()) { winners, winner in
                    if let winner { winners.append(winner) }
                }
            }
            #expect(winners.count == 1)
            let bytes = try await storage.open(name).collect(upTo: size)
            #expect(try bytes == ByteBuffer(repeating: #require(winners.first), count: size))
        }
    }

    @Test("Readers and writers that replace a file never see a mix")
    func replacingNeverMixes() async throws {
        let storage = try fixture.storage()
        let name = try StorageName(validating: "file")
        let size = 600_000
        try await storage.put(String(repeating: "a", count: size), "file")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for letter in ["b", "c"] {
                group.addTask {
                    for _ in 0..<20 {
                        try await storage.put(String(repeating: letter, count: size), "file", ifExists: .replace)
                    }
                }
            }
            group.addTask {
                for _ in 0..<40 {
                    let bytes = try await storage.open(name).collect(upTo: size)
                    let first = try #require(bytes.getInteger(at: 0, as: UInt8.self))
                    #expect(bytes == ByteBuffer(repeating: first, count: size))
                }
            }
            try await group.waitForAll()
        }
        #expect(try fixture.remains() == ["file"])
    }

    @Test("Writers that need a directory and deleters that remove it do not disturb each other")
    func directoriesComeAndGo() async throws {
        let storage = try fixture.storage()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for round in 0..<100 {
                        let name = try StorageName(validating: "a/b/c/\(worker)")
                        let mode: IfExists = round % 2 == 0 ? .fail : .replace
                        try await storage.put("x", name.string, ifExists: mode)
                        #expect(try await storage.delete([name]).isEmpty)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try fixture.remains() == [])
    }
}
