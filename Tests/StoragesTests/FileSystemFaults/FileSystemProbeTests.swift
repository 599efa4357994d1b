import Foundation
import StoredFilesTesting
import Testing

@testable import Storages

@Suite("FileSystemStorage: probe")
struct FileSystemProbeTests {
    let fixture: FileSystemFixture

    init() throws {
        fixture = try FileSystemFixture()
    }

    @Test("A probe reports what the file system can do, and leaves no file")
    func tellsAndLeavesNothing() async throws {
        let storage = try fixture.storage(durability: .fsync)
        let probe = try await storage.probe()
        #expect(probe.isWritable && probe.writeFailure == nil)
        #expect(probe.placement != nil)
        #expect(probe.synchronizesDirectories != nil && probe.setsModificationTimes == true)
        #expect(probe.keepsCaseApart != nil && probe.keepsNormalizationApart != nil)
        #expect(probe.freeBytes ?? 0 > 0)
        #expect(probe.longestName ?? 255 >= 143)
        #expect(!probe.fileSystem.isEmpty)
        #expect(try fixture.everything() == [])
    }

    @Test("A probe reports the way of placing files that uploads use", arguments: FileSystemProbe.Placement.allCases)
    func tellsTheWay(placement: FileSystemProbe.Placement) async throws {
        let ways = FileSystemProbe.Placement.allCases.drop { $0 != placement }
        let storage = try fixture.storage(placements: Array(ways))
        let found = try #require(try await storage.probe().placement)
        #if os(Linux)
            #expect(found == placement || placement == .namelessLink)
        #else
            #expect(found == placement || placement == .namelessLink && found == .link)
        #endif
        #expect(try fixture.everything() == [])
    }

    @Test("A probe removes what killed probes have left, but not the files of a running one")
    func removesLeftovers() async throws {
        let storage = try fixture.storage()
        let own = fixture.root + "/.stored-files-tmp"
        try fixture.write("x", to: own + "/probe-old/placed")
        try fixture.write("x", to: own + "/probe-new/placed")
        try fixture.write("x", to: own + "/upload-old")
        for name in ["probe-old", "upload-old"] {
            let attributes: [FileAttributeKey: Any] = [.modificationDate: Date(timeIntervalSinceNow: -3000)]
            try FileManager.default.setAttributes(attributes, ofItemAtPath: own + "/" + name)
        }
        _ = try await storage.probe()
        #expect(
            try fixture.remains() == [
                ".stored-files-tmp/probe-new/", ".stored-files-tmp/probe-new/placed", ".stored-files-tmp/upload-old",
            ]
        )
        #expect(try await storage.removeAbandonedUploads(olderThan: .seconds(-5)) == 1)
        #expect(try fixture.remains() == [])
    }

    @Test("Uploads and probes at the same time do not disturb each other")
    func besideUploads() async throws {
        let storage = try fixture.storage(makesAnonymousFiles: false)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    for round in 0..<50 {
                        if worker == 0 {
                            #expect(try await storage.probe().isWritable)
                        } else {
                            try await storage.put(
                                "x",
                                "\(worker)/\(round)",
                                ifExists: round % 2 == 0 ? .fail : .replace
                            )
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await storage.names().count == 150)
    }

    #if os(Linux)
        @Test(
            "A file system that does not describe itself is still used",
            .disabled(if: Sanitizer.isOn, "a library is loaded first"),
            arguments: [ENOSYS, EPERM, EACCES]
        )
        func undescribed(errno: Int32) async throws {
            let files = try await FaultyFileSystem()
            let outcomes = try await files.use(
                ["fstatfs * errno \(errno)", "cached * errno \(EIO)"],
                ["put a 10 fail", "get a", "probe"]
            )
            #expect(outcomes[0...1] == ["ok", "10 bytes"])
            #expect(outcomes[2].hasPrefix("unknown local false ") && outcomes[2].hasSuffix("failure none"))
        }

        @Test(
            "A probe reports a file system that folds case, and one that is full",
            .disabled(if: Sanitizer.isOn, "a library is loaded first")
        )
        func tellsTheUnusual() async throws {
            let files = try await FaultyFileSystem()
            var outcomes = try await files.use(["fstatat */CASE fold 1"], ["probe"])
            #expect(outcomes[0].contains(" case false ") && outcomes[0].hasSuffix("failure none"), "\(outcomes)")
            outcomes = try await files.use([], ["probe"])
            #expect(outcomes[0].contains(" case true "), "\(outcomes)")
            for rule in ["mkdirat *", "write *", "tmpfile *", "create *"] {
                outcomes = try await files.use(["\(rule) errno \(ENOSPC)"], ["probe"])
                #expect(outcomes[0].contains(" placement none ") && outcomes[0].hasSuffix("failure outOfSpace"))
                #expect(try files.fixture.everything() == [], "\(rule)")
            }
        }

        @Test("Every file system has a name, and only known local ones count as local")
        func names() {
            #expect(FileSystemKind(type: 0xEF53) == FileSystemKind(name: "ext4", isLocal: true))
            #expect(FileSystemKind(type: 0x6969) == FileSystemKind(name: "nfs", isLocal: false))
            #expect(FileSystemKind(type: 0x6573_5546) == FileSystemKind(name: "fuse", isLocal: false))
            #expect(FileSystemKind(type: 0xABC) == FileSystemKind(name: "0xabc", isLocal: false))
        }
    #endif
}
