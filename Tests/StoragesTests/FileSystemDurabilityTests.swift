import Foundation
import NIOConcurrencyHelpers
import NIOCore
import TestSupport
import Testing

@testable import Storages

/// Tests of what must have reached the medium, by listening to and breaking each `fsync`.
@Suite("FileSystemStorage: durability")
struct FileSystemDurabilityTests {
    let fixture: FileSystemFixture
    private let medium = Medium()

    init() throws {
        fixture = try FileSystemFixture()
        try FileManager.default.createDirectory(atPath: fixture.root, withIntermediateDirectories: true)
    }

    /// Notes the inodes that are written out, and fails when it is told to.
    private final class Medium: Sendable {
        private struct State {
            var inodes: [UInt64] = []
            var failing: Int?
        }

        private let state = NIOLockedValueBox(State())

        var inodes: [UInt64] { state.withLockedValue { $0.inodes } }

        /// Forgets what was written out; the call of that number from now on, from 0, fails.
        func reset(failing: Int? = nil) {
            state.withLockedValue { $0 = State(failing: failing) }
        }

        func synchronize(_ descriptor: Int32) -> Int32 {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { return EBADF }
            let inode = UInt64(status.st_ino)
            return state.withLockedValue { state in
                defer { state.inodes.append(inode) }
                return state.failing == state.inodes.count ? EIO : 0
            }
        }
    }

    private func storage(makesAnonymousFiles: Bool = true) throws -> FileSystemStorage {
        try fixture.storage(
            durability: .fsync,
            makesAnonymousFiles: makesAnonymousFiles,
            synchronize: { [medium] in medium.synchronize($0) }
        )
    }

    private func inode(_ path: String) throws -> UInt64 {
        var status = stat()
        try #require(lstat(fixture.root + "/" + path, &status) == 0)
        return UInt64(status.st_ino)
    }

    @Test(
        "An upload syncs the file first, then the directories above it, and its own directory last",
        arguments: [IfExists.fail, .rename, .replace],
        [true, false]
    )
    func writesOutTheWholeWay(ifExists: IfExists, makesAnonymousFiles: Bool) async throws {
        let storage = try storage(makesAnonymousFiles: makesAnonymousFiles)
        try await storage.put("x", "a/b/c", ifExists: ifExists)
        let inodes = medium.inodes
        #expect(inodes.first == (try inode("a/b/c")))
        #expect(inodes.last == (try inode("a/b")))
        // Nothing is put into a directory whose own entry is not safe.
        #expect(Set(inodes.dropFirst()) == Set([try inode("a/b"), try inode("a"), try inode(".")]))
    }

    @Test("An upload syncs directories that another process has just created")
    func writesOutDirectoriesOfOthers() async throws {
        let storage = try storage()
        try FileManager.default.createDirectory(atPath: fixture.root + "/a/b", withIntermediateDirectories: true)
        try await storage.put("x", "a/b/c")
        #expect(Set(medium.inodes).isSuperset(of: [try inode("a/b"), try inode("a"), try inode(".")]))
    }

    @Test("A directory is synced once, and again after it has changed")
    func remembersDirectories() throws {
        let directories = SynchronizedDirectories()
        let root = try SystemCall.open(fixture.root, in: .workingDirectory, flags: O_RDONLY | O_DIRECTORY)
        let later = try SystemCall.now().seconds + 10
        var count = 0
        for _ in 0..<3 { try directories.synchronize(root, now: later) { _ in count += 1 } }
        #expect(count == 1)
        try fixture.write("x", to: fixture.root + "/new")
        for _ in 0..<3 { try directories.synchronize(root, now: later) { _ in count += 1 } }
        #expect(count == 2)
        // Changed a moment ago: another change might not show in its time, so it is not remembered.
        let now = try SystemCall.stamp(of: root).seconds
        let others = SynchronizedDirectories()
        for _ in 0..<3 { try others.synchronize(root, now: now) { _ in count += 1 } }
        #expect(count == 5)
        // What failed is not remembered either.
        struct Failure: Error {}
        let failing = SynchronizedDirectories()
        #expect(throws: Failure.self) { try failing.synchronize(root, now: later) { _ in throw Failure() } }
        try failing.synchronize(root, now: later) { _ in count += 1 }
        #expect(count == 6)
    }

    @Test(
        "An upload whose fsync fails throws an error and leaves no file and no directory",
        arguments: [IfExists.fail, .rename],
        [true, false]
    )
    func failingMedium(ifExists: IfExists, makesAnonymousFiles: Bool) async throws {
        let storage = try storage(makesAnonymousFiles: makesAnonymousFiles)
        try await storage.put("x", "a/b/c", ifExists: ifExists)
        let count = medium.inodes.count
        #expect(count == 4)
        _ = try await storage.delete([StorageName(validating: "a/b/c")])
        for failing in 0..<count {
            medium.reset(failing: failing)
            #expect(await storageErrorCode { try await storage.put("x", "a/b/c", ifExists: ifExists) } == .io)
            #expect(medium.inodes.count == failing + 1)
            #expect(try fixture.remains() == [], "after failure \(failing)")
        }
        medium.reset()
        try await storage.put("x", "a/b/c", ifExists: ifExists)
        #expect(try await storage.text("a/b/c") == "x")
    }

    @Test("A replacement whose fsync fails keeps a complete file, and the error says which one")
    func failingMediumOnReplacement() async throws {
        let storage = try storage()
        for failing in 0..<2 {
            medium.reset()
            try await storage.put("old", "f", ifExists: .replace)
            medium.reset(failing: failing)
            let error = await #expect(throws: StorageError.self) {
                try await storage.put("new", "f", ifExists: .replace)
            }
            #expect(error?.code == .io)
            #expect(error?.message.contains("has replaced the old one") == (failing > 0))
            #expect(try await storage.text("f") == (failing > 0 ? "new" : "old"))
            #expect(try fixture.remains() == ["f"])
        }
    }

    @Test("An upload whose fsync fails does not remove a file that another process has put in its place")
    func leavesTheFilesOfOthers() async throws {
        let root = fixture.root
        let calls = NIOLockedValueBox(0)
        let storage = try fixture.storage(
            durability: .fsync,
            synchronize: { _ in
                let call = calls.withLockedValue { calls in
                    calls += 1
                    return calls
                }
                guard call == 2 else { return 0 }
                // The entry is there; somebody puts another file in its place at this moment.
                try? Data("theirs".utf8).write(to: URL(fileURLWithPath: root + "/other"))
                rename(root + "/other", root + "/f")
                return EIO
            }
        )
        #expect(await storageErrorCode { try await storage.put("mine", "f") } == .io)
        #expect(try await storage.text("f") == "theirs")
    }

    @Test("Deleting syncs each directory that lost an entry, also those whose names look the same")
    func deletions() async throws {
        let storage = try storage()
        let names = ["\u{E9}/a", "e\u{301}/a", "d/e/f", "kept/a"].map(StorageName.init(unchecked:))
        for name in names { _ = try await storage.upload(.string("x"), to: name) }
        for directory in ["\u{E9}", "e\u{301}", "kept"] {
            try fixture.write("x", to: fixture.root + "/\(directory)/stays")
        }
        medium.reset()
        #expect(try await storage.delete(names).isEmpty)
        let expected = try ["\u{E9}", "e\u{301}", "kept", "."].map(inode)
        #expect(Set(medium.inodes) == Set(expected))
        #expect(expected.count == Set(expected).count)
    }

    @Test("Deleting syncs the nearest existing directory, and reports a failure for each name")
    func deletionsOfOthers() async throws {
        let storage = try storage()
        let names = try ["a/b/c", "missing"].map { try StorageName(validating: $0) }
        try FileManager.default.createDirectory(atPath: fixture.root + "/a", withIntermediateDirectories: true)
        try storage.directory.synchronizeDirectory(at: "a/b/c")
        #expect(medium.inodes == [try inode("a")])
        try await storage.put("x", "a/b/c")
        medium.reset(failing: 0)
        let failures = try await storage.delete([names[0]])
        #expect(failures.map(\.name) == [names[0]] && failures.map(\.error.code) == [.io])
        medium.reset()
        // Somebody else may have removed it and not have written that out.
        #expect(try await storage.delete([names[1]]).isEmpty)
        #expect(medium.inodes == [try inode(".")])
    }
}
