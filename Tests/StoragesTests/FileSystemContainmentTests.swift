import Foundation
import NIOCore
import Storages
import Synchronization
import TestSupport
import Testing

@Suite("FileSystemStorage: containment in the root")
struct FileSystemContainmentTests {
    let fixture: FileSystemFixture
    let storage: FileSystemStorage

    init() throws {
        fixture = try FileSystemFixture()
        storage = try fixture.storage()
        try fixture.write("secret", to: fixture.path + "/outside/secret.txt")
    }

    /// The outside is as it was: one file with its text.
    private func outsideIsUntouched() throws -> Bool {
        let outside = fixture.path + "/outside"
        let names = try FileManager.default.contentsOfDirectory(atPath: outside)
        return try names == ["secret.txt"]
            && String(contentsOfFile: outside + "/secret.txt", encoding: .utf8) == "secret"
    }

    /// Returns the codes that every operation on a name throws, and those of the failures of its deletion.
    private func codes(
        _ name: String,
        in storage: FileSystemStorage? = nil
    ) async throws -> [StorageError.Code?] {
        let storage = storage ?? self.storage
        let name = try StorageName(validating: name)
        return [
            await storageErrorCode { _ = try await storage.open(name) },
            await storageErrorCode { _ = try await storage.info(for: name) },
            await storageErrorCode { _ = try await storage.exists(name) },
            await storageErrorCode {
                _ = try await storage.copy(name, to: StorageName(validating: "z"), options: .init())
            },
        ]
    }

    @Test(
        "No operation follows a symbolic link to a directory",
        arguments: ["../outside", "/", "inside", "nowhere"],
        [false, true]
    )
    func directoryLink(target: String, checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        try await storage.put("in", "inside/secret.txt")
        try fixture.link(fixture.root + "/link", to: target)
        for code in try await codes("link/secret.txt", in: storage) { #expect(code == .permissionDenied) }
        for mode in [IfExists.fail, .rename, .replace] {
            #expect(
                await storageErrorCode { try await storage.put("x", "link/new", ifExists: mode) } == .permissionDenied
            )
            #expect(
                await storageErrorCode { try await storage.put("x", "link/a/b", ifExists: mode) } == .permissionDenied
            )
        }
        let failures = try await storage.delete([StorageName(validating: "link/secret.txt")])
        #expect(failures.map(\.error.code) == [.permissionDenied])
        #expect(try await storage.names() == ["inside/secret.txt"])
        #expect(try await storage.names("link/") == [])
        #expect(try outsideIsUntouched())
        #expect(try await storage.text("inside/secret.txt") == "in")
    }

    @Test(
        "A symbolic link to a file is not followed, and deleting removes only the link",
        arguments: [false, true]
    )
    func fileLink(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        try fixture.link(fixture.root + "/link.txt", to: "../outside/secret.txt")
        for code in try await codes("link.txt", in: storage) { #expect(code == .permissionDenied) }
        #expect(try await storage.names() == [])
        #expect(await storageErrorCode { try await storage.put("x", "link.txt") } == .alreadyExists)
        #expect(try await storage.put("x", "link.txt", ifExists: .rename).name.string != "link.txt")
        try await storage.put("mine", "link.txt", ifExists: .replace)
        #expect(try await storage.text("link.txt") == "mine")
        #expect(try outsideIsUntouched())

        try fixture.link(fixture.root + "/other.txt", to: "../outside/secret.txt")
        #expect(try await storage.delete([StorageName(validating: "other.txt")]).isEmpty)
        #expect(try !fixture.everything().contains("other.txt"))
        #expect(try outsideIsUntouched())
    }

    @Test(
        "A dangling symbolic link is not a free name, and no file appears at its target",
        arguments: [false, true]
    )
    func danglingLink(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        try fixture.link(fixture.root + "/dangling", to: "../outside/new.txt")
        for code in try await codes("dangling", in: storage) { #expect(code == .permissionDenied) }
        #expect(await storageErrorCode { try await storage.put("x", "dangling") } == .alreadyExists)
        #expect(await storageErrorCode { try await storage.put("x", "dangling/x") } == .permissionDenied)
        try await storage.put("x", "dangling", ifExists: .replace)
        #expect(try await storage.text("dangling") == "x")
        #expect(try outsideIsUntouched())
    }

    @Test(
        "Swapping a directory for a symbolic link again and again exposes no file outside of the root",
        arguments: [false, true]
    )
    func swappedDirectory(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        let state = SwapState()
        let root = fixture.root
        try FileManager.default.createDirectory(atPath: root + "/d", withIntermediateDirectories: true)
        try fixture.link(root + "/l", to: "../outside")
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while !state.isDone.load(ordering: .relaxed) {
                    // Exchange d and l: the directory is a link for a moment.
                    rename(root + "/d", root + "/t")
                    rename(root + "/l", root + "/d")
                    await Task.yield()
                    rename(root + "/d", root + "/l")
                    rename(root + "/t", root + "/d")
                    await Task.yield()
                }
            }
            group.addTask {
                for round in 0..<200 {
                    let name = try StorageName(validating: "d/file\(round)")
                    if (try? await storage.put("x", name.string)) != nil { state.successes.add(1, ordering: .relaxed) }
                    _ = try await storage.delete([StorageName(validating: "d/secret.txt")])
                    if let text = try? await storage.text("d/secret.txt") { Issue.record("read \(text) from outside") }
                }
                state.isDone.store(true, ordering: .relaxed)
            }
            try await group.waitForAll()
        }
        #expect(try outsideIsUntouched())
        #expect(state.successes.load(ordering: .relaxed) > 0)
    }

    @Test(
        "A pipe is not opened and does not block a thread",
        arguments: [false, true]
    )
    func pipe(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        try #require(mkfifo(fixture.root + "/pipe", 0o600) == 0)
        #expect(try await codes("pipe", in: storage) == [.notFound, .notFound, nil, .notFound])
        #expect(try await storage.names() == [])
    }

    @Test("A socket is not a file of the storage", arguments: [false, true])
    func socket(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array((fixture.root + "/socket").utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        #if canImport(Darwin)
            let stream = SOCK_STREAM
        #else
            let stream = Int32(SOCK_STREAM.rawValue)
        #endif
        let number = Foundation.socket(AF_UNIX, stream, 0)
        defer { close(number) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(result == 0)
        #expect(try await codes("socket", in: storage) == [.notFound, .notFound, nil, .notFound])
    }

    @Test(
        "A name segment that starts with a combining mark does not hide a symbolic link before it",
        arguments: [false, true]
    )
    func leadingMarks(checksSteps: Bool) async throws {
        let storage = try fixture.storage(checksSteps: checksSteps)
        // The slash and the mark are one Character, and U+0D4E takes the slash behind it into one.
        for text in ["d/\u{301}b", "d/\u{301}/\u{302}.txt", "x\u{0D4E}/y", "\u{301}", "p\u{0D4E}/q\u{0D4E}/r"] {
            let name = try storage.name(for: text)
            #expect(name.string.utf8.elementsEqual(text.utf8))
            let file = try await storage.upload(.string(text), to: name)
            #expect(try await storage.text(file.name.string) == text)
        }
        #expect(try await storage.names().count == 5)
        #expect(try await storage.names("x\u{0D4E}/") == ["x\u{0D4E}/y"])
        #expect(try await storage.names("p\u{0D4E}/q\u{0D4E}/").count == 1)
        try fixture.link(fixture.root + "/link", to: "../outside")
        try fixture.write("secret", to: fixture.path + "/outside/\u{301}b")
        for code in try await codes("link/\u{301}b", in: storage) { #expect(code == .permissionDenied) }
        for name in try await storage.names() {
            #expect(try await storage.delete([StorageName(unchecked: name)]).isEmpty)
        }
        #expect(try fixture.remains() == ["link/"])
    }

    @Test(
        "The directory for unfinished uploads cannot be named by a case-folded spelling",
        arguments: [
            ".STORED-FILES-TMP/a", ".Stored-Files-Tmp/upload-1", ".stored-files-TMP-1", ".\u{17F}tored-files-tmp/a",
            ".stored-\u{FB01}les-tmp/a", "\u{200D}.stored-files-tmp/a", ".stored\u{200D}-files-tmp/a",
            ".\u{FB06}ored-files-tmp",
        ]
    )
    func ownDirectoryFolded(name: String) async throws {
        #expect(await storageErrorCode { try await storage.put("x", name) } == .invalidName)
        #expect(try await storage.put("x", "a/" + name).byteCount == 1)
    }

    @Test("The directory for unfinished uploads cannot be named or listed")
    func ownDirectory() async throws {
        try fixture.write("partial", to: fixture.root + "/.stored-files-tmp/upload-1")
        for name in [".stored-files-tmp", ".stored-files-tmp/upload-1", ".stored-files-tmp-x"] {
            #expect(try await codes(name) == [.invalidName, .invalidName, .invalidName, .invalidName])
            #expect(await storageErrorCode { try await storage.put("x", name) } == .invalidName)
            let failures = try await storage.delete([StorageName(validating: name)])
            #expect(failures.map(\.error.code) == [.invalidName])
            #expect(
                await storageErrorCode { _ = try await storage.url(for: StorageName(validating: name)) } == .invalidName
            )
        }
        #expect(try await storage.names() == [])
        #expect(try await storage.names(".stored-files-tmp/") == [])
        #expect(try fixture.everything() == [".stored-files-tmp/", ".stored-files-tmp/upload-1"])
    }

    @Test("Only old files of unfinished uploads are removed")
    func abandonedUploads() async throws {
        let own = fixture.root + "/.stored-files-tmp"
        #expect(try await storage.removeAbandonedUploads() == 0)
        for name in ["upload-old", "upload-new", "something-else"] {
            try fixture.write("x", to: own + "/" + name)
        }
        for name in ["upload-old", "something-else"] {
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -90_000)],
                ofItemAtPath: own + "/" + name
            )
        }
        try await storage.put("x", "kept")
        #expect(try await storage.removeAbandonedUploads() == 1)
        #expect(
            try fixture.everything()
                == [".stored-files-tmp/", ".stored-files-tmp/upload-new", ".stored-files-tmp/something-else", "kept"]
        )
        #expect(try await storage.removeAbandonedUploads(olderThan: .seconds(-2)) == 1)
    }

    @Test("A replacing upload that is killed leaves a hidden file, which is removed later")
    func killedUpload() async throws {
        // What the killed process leaves is what is on disk in the middle of an upload: looked at from here.
        let storage = storage
        let (started, signal) = AsyncStream<Void>.makeStream()
        let source = PatternSource(
            byteCount: 3_000_000,
            onChunk: { position in
                guard position > 1_000_000 else { return }
                signal.yield()
                try await Task.sleep(for: .seconds(60))
            }
        )
        let task = Task {
            try await storage.upload(.stream(source), to: .init(validating: "a"), options: .init(ifExists: .replace))
        }
        for await _ in started { break }
        let left = try fixture.everything().filter { $0.hasPrefix(".stored-files-tmp/upload-") }
        #expect(left.count == 1)
        #expect(try await storage.names() == [])
        #expect(try await storage.removeAbandonedUploads(olderThan: .seconds(-2)) == 1)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(try fixture.everything() == [".stored-files-tmp/"])
    }

    @Test("Unfinished uploads are abandoned by name, and other uploads go on", arguments: [true, false])
    func uploadsGivenUpByName(isNamed: Bool) async throws {
        let storage = try fixture.storage(makesAnonymousFiles: false)
        let names = try ["other", "a/b/c/d", isNamed ? "a/b/c" : "a/b"].map { try StorageName(validating: $0) }
        let source = PatternSource(
            byteCount: 1_000_000,
            onChunk: { position in
                guard position > 600_000 else { return }
                try await storage.abandonUploads(of: names)
            }
        )
        let options = UploadOptions(ifExists: .replace)
        let upload = { try await storage.upload(.stream(source), to: .init(validating: "a/b/c"), options: options) }
        if isNamed {
            let error = await #expect(throws: StorageError.self) { try await upload() }
            #expect(error?.message.contains("unfinished bytes were removed") == true)
            #expect(try fixture.everything() == [".stored-files-tmp/"])
        } else {
            #expect(try await upload().byteCount == 1_000_000)
        }
    }

    @Test(
        "An upload whose unfinished bytes were removed fails with an error and leaves no directory",
        arguments: [IfExists.replace, .fail]
    )
    func collectedUpload(ifExists: IfExists) async throws {
        let storage = try fixture.storage(makesAnonymousFiles: false)
        let source = PatternSource(
            byteCount: 1_000_000,
            onChunk: { position in
                guard position > 600_000 else { return }
                _ = try await storage.removeAbandonedUploads(olderThan: .seconds(-2))
            }
        )
        let error = await #expect(throws: StorageError.self) {
            let options = UploadOptions(ifExists: ifExists)
            return try await storage.upload(.stream(source), to: .init(validating: "a/b/c"), options: options)
        }
        #expect(error?.code == .io)
        #expect(error?.message.contains("unfinished bytes were removed") == true)
        #expect(try fixture.everything() == [".stored-files-tmp/"])
    }
}

/// The state that the two sides of the swapping test share.
private final class SwapState: Sendable {
    let isDone = Atomic(false)
    let successes = Atomic(0)
}
