import Foundation
import Storages
import StoredFilesTesting
import Testing

#if os(Linux)
    /// Disks and servers that fail, and work again.
    @Suite("FileSystemStorage: transient failures", .disabled(if: Sanitizer.isOn, "a library is loaded first"))
    struct FailingFileSystemTests {
        let files: FaultyFileSystem

        init() async throws {
            files = try await FaultyFileSystem()
        }

        private static let failures: [(rule: String, errno: Int32, code: String)] = [
            ("write *", ENOSPC, "outOfSpace"), ("write *", EDQUOT, "outOfSpace"), ("write *", EIO, "io"),
            ("fsync *", ENOSPC, "outOfSpace"), ("fsync *", EIO, "io"), ("fsync */e", ENOSPC, "outOfSpace"),
            ("mkdirat */e", ENOSPC, "outOfSpace"), ("mkdirat */e", EMLINK, "outOfSpace"),
            ("mkdirat */d", EROFS, "permissionDenied"), ("fsync *", ETIMEDOUT, "timeout"),
            ("write *", EHOSTDOWN, "unavailable"), ("write *", ENOTCONN, "unavailable"),
            ("fsync *", EKEYEXPIRED, "permissionDenied"), ("write *", EUCLEAN, "io"),
        ]

        @Test(
            "A failing system call gives its error code, leaves no file, and the next upload works",
            arguments: failures,
            ["fail", "rename", "replace"]
        )
        func passes(failure: (rule: String, errno: Int32, code: String), mode: String) async throws {
            for nameless in [[], [FaultyFileSystem.nameless]] {
                let outcomes = try await files.use(
                    nameless + ["\(failure.rule) errno \(failure.errno) 1"],
                    ["put d/e/a 300000 \(mode)", "list", "put d/e/a 10 \(mode)", "get d/e/a"]
                )
                let replaces = mode == "replace" && failure.rule == "fsync */e"
                #expect(outcomes[0].hasPrefix(failure.code + " "), "\(outcomes)")
                #expect(outcomes[0].contains("(errno \(failure.errno))"))
                #expect(outcomes[1] == (replaces ? "d/e/a" : ""), "\(outcomes)")
                #expect(outcomes[2...3] == ["ok", "10 bytes"], "\(outcomes)")
                #expect(try files.fixture.remains() == ["d/", "d/e/", "d/e/a"])
                try FileManager.default.removeItem(atPath: files.root + "/d")
            }
        }

        @Test("An upload without free inodes or quota fails as outOfSpace, and works again later")
        func noFiles() async throws {
            for errno in [ENOSPC, EDQUOT] {
                let rules = ["tmpfile * errno \(errno)", "create * errno \(errno)"]
                let outcomes = try await files.use(
                    rules,
                    ["put a 10 fail", "put a 10 replace", "rules", "put a 10 replace", "delete a"]
                )
                #expect(outcomes[0].hasPrefix("outOfSpace") && outcomes[1].hasPrefix("outOfSpace"))
                #expect(outcomes[3...4] == ["ok", "ok"])
                #expect(try files.fixture.remains() == [])
            }
        }

        @Test("The directory for unfinished uploads is created again when it was removed")
        func removedStaging() async throws {
            let outcomes = try await files.use(
                ["create */upload-* errno \(ENOENT) 3", "mkdirat */probe-* errno \(ENOENT) 3"],
                ["put a 10 replace", "probe", "get a"]
            )
            #expect(outcomes[0] == "ok" && outcomes[2] == "10 bytes", "\(outcomes)")
            #expect(outcomes[1].hasSuffix("failure none"), "\(outcomes)")
        }

        @Test("A read-only file system can be read and probed")
        func readOnly() async throws {
            let outcomes = try await files.use(
                [],
                [
                    "put d/a 10 fail",
                    "rules tmpfile * errno \(EROFS);create * errno \(EROFS);mkdirat * errno \(EROFS);"
                        + "unlinkat * errno \(EROFS)",
                    "open \(files.root) fsync", "get d/a", "list", "put b 10 fail", "put b 10 replace", "delete d/a",
                    "probe", "rules", "put b 10 fail",
                ]
            )
            #expect(outcomes[2...4] == ["ok", "10 bytes", "d/a"])
            #expect(outcomes[5...7].allSatisfy { $0.hasPrefix("permissionDenied") && $0.contains("read-only") })
            #expect(outcomes[8].contains(" placement none ") && outcomes[8].hasSuffix("failure permissionDenied"))
            #expect(outcomes[10] == "ok")
        }

        @Test("A storage works again after its file system is mounted again")
        func remounts() async throws {
            let dead = files.root + ".dead"
            let calls = ["openat", "cached", "create", "tmpfile", "fstatat", "linkat"]
            let down = calls.flatMap { ["\($0) \(dead) errno \(ENOTCONN)", "\($0) \(dead)/* errno \(ENOTCONN)"] }
            let rules = "rules " + down.joined(separator: ";")
            let outcomes = try await files.use(
                [],
                [
                    "put a 10 fail", "move \(files.root) \(dead)", rules, "get a", "put b 10 fail",
                    "mkdir \(files.root)",
                    "get a", "put b 20 fail", "get b",
                ]
            )
            #expect(outcomes[3].hasPrefix("unavailable") && outcomes[3].contains("Mount it again"))
            #expect(outcomes[4].hasPrefix("unavailable"))
            // This one finds that it is dead, and that it is there again.
            #expect(outcomes[6].hasPrefix("unavailable"))
            #expect(outcomes[7...8] == ["ok", "20 bytes"])
            #expect(try files.fixture.remains() == ["b"])
        }

        @Test("A file system of another kind below the mount point is not taken for the mount")
        func refusesWhatIsBelow() async throws {
            let dead = files.root + ".dead"
            let calls = ["openat", "cached", "create", "tmpfile", "fstatat", "linkat"]
            let down = calls.flatMap { ["\($0) \(dead) errno \(ENOTCONN)", "\($0) \(dead)/* errno \(ENOTCONN)"] }
            let outcomes = try await files.use(
                ["fstatfs * type 0x65735546"],
                [
                    "put a 10 fail", "move \(files.root) \(dead)", "mkdir \(files.root)",
                    "rules " + down.joined(separator: ";"), "put b 10 fail", "put b 10 fail",
                ]
            )
            #expect(outcomes[4...5].allSatisfy { $0.hasPrefix("unavailable") })
            #expect(try files.fixture.remains() == [])
        }

        @Test("A root directory that was removed and created again is refused after a stale handle")
        func refusesAnother() async throws {
            let dead = files.root + ".dead"
            let calls = ["openat", "cached", "create", "tmpfile", "fstatat", "linkat"]
            let down = calls.flatMap { ["\($0) \(dead) errno \(ESTALE)", "\($0) \(dead)/* errno \(ESTALE)"] }
            let outcomes = try await files.use(
                [],
                [
                    "put a 10 fail", "move \(files.root) \(dead)", "mkdir \(files.root)",
                    "rules " + down.joined(separator: ";"), "put b 10 fail", "put b 10 fail",
                ]
            )
            #expect(outcomes[4...5].allSatisfy { $0.hasPrefix("unavailable") })
            #expect(try files.fixture.remains() == [])
        }
    }
#endif
