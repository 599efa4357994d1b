import Foundation
import Storages
import StoredFilesTesting
import Testing

#if os(Linux)
    /// Tests of what NFS, CIFS and FUSE do that a disk does not.
    @Suite("FileSystemStorage: network file systems", .disabled(if: Sanitizer.isOn, "a library is loaded first"))
    struct RemoteFileSystemTests {
        let files: FaultyFileSystem
        private let isRemote = "fstatfs * type \(FaultyFileSystem.nfs)"

        init() async throws {
            files = try await FaultyFileSystem()
        }

        @Test(
            "An upload succeeds if a request was done but sent again because its response was lost",
            arguments: [
                (["linkat */a after \(EEXIST)"], "fail"),
                ([FaultyFileSystem.nameless, "linkat */a after \(EEXIST)"], "fail"),
                ([FaultyFileSystem.nameless, "linkat */a after \(EEXIST)"], "rename"),
                (["linkat * errno \(EPERM)", "renameat2 */a after \(EEXIST)"], "fail"),
                (["linkat * errno \(EPERM)", "renameat2 */a after \(ENOENT)"], "fail"),
                (
                    ["linkat * errno \(EPERM)", "renameat2 * errno \(EINVAL)", "renameat */a after \(ENOENT)"], "fail"
                ),
                (["renameat */a after \(ENOENT)"], "replace"),
                (["mkdirat * after \(EEXIST)"], "fail"), (["mkdirat * after \(EEXIST)"], "replace"),
            ]
        )
        func lostAnswers(rules: [String], mode: String) async throws {
            let outcomes = try await files.use([isRemote] + rules, ["put d/a 10 \(mode)", "get d/a"])
            #expect(outcomes == ["ok", "10 bytes"])
            #expect(try files.fixture.remains() == ["d/", "d/a"])
        }

        @Test("A deletion that was sent again counts as done and removes the empty directories")
        func lostDeletion() async throws {
            let outcomes = try await files.use(
                [isRemote],
                ["put d/e/a 10 fail", "rules \(isRemote);unlinkat */a after \(ENOENT)", "purge d/e/a", "purge d/e/a"]
            )
            #expect(outcomes[2] == "[1] versions" && outcomes[3] == "[0] versions")
            #expect(try files.fixture.remains() == [])
        }

        @Test("A stale file handle gives an error that depends on the operation")
        func stale() async throws {
            let outcomes = try await files.use(
                [isRemote],
                [
                    "put a 10 fail", "rules \(isRemote);pread * errno \(ESTALE)", "get a",
                    "rules \(isRemote);openat */a errno \(ESTALE)", "get a",
                    "rules \(isRemote);write \(files.root)/* errno \(ESTALE)", "put b 10 fail",
                    "rules \(isRemote)", "get a", "put b 10 fail",
                ]
            )
            #expect(outcomes[2].hasPrefix("changedDuringRead"))
            #expect(outcomes[4].hasPrefix("unavailable") && outcomes[4].contains("mount it again"))
            #expect(outcomes[6].hasPrefix("unavailable"))
            #expect(outcomes[8] == "10 bytes" && outcomes[9] == "ok")
        }

        @Test(
            "A full disk or quota that only close() reports is an error and leaves no file",
            arguments: [EDQUOT, ENOSPC],
            ["fail", "rename", "replace"]
        )
        func closing(errno: Int32, mode: String) async throws {
            // Closing is where it is said: of the file without a name, or the one in the storage's own directory.
            let rules = ["close \(files.root)/#* errno \(errno) 1", "close */upload-* errno \(errno) 1"]
            for nameless in [[], [FaultyFileSystem.nameless]] {
                let outcomes = try await files.use(
                    [isRemote] + nameless + rules,
                    durability: "none",
                    ["put d/a 10 \(mode)", "list", "rules \(isRemote)", "put d/a 10 \(mode)"]
                )
                #expect(outcomes[0].hasPrefix("outOfSpace"), "\(outcomes)")
                #expect(outcomes[1] == "" && outcomes[3] == "ok")
                #expect(try files.fixture.remains() == ["d/", "d/a"])
                try FileManager.default.removeItem(atPath: files.root + "/d")
            }
        }

        @Test(
            "A file system that cannot sync directories or set times is still used",
            arguments: [EINVAL, EOPNOTSUPP, EBADF, ENOSYS],
            [EPERM, ENOSYS, EOPNOTSUPP]
        )
        func refusedExtras(synchronizing: Int32, stamping: Int32) async throws {
            let root = files.root
            let rules = ["fsync \(root) errno \(synchronizing)", "fsync */d errno \(synchronizing)"]
            let probes = ["fsync */case allow 0", "fsync */probe-* errno \(synchronizing)"]
            let outcomes = try await files.use(
                rules + ["futimens * errno \(stamping)"] + probes,
                ["put d/a 10 fail", "put d/a 10 replace", "get d/a", "delete d/a", "probe"]
            )
            #expect(outcomes[0...3] == ["ok", "ok", "10 bytes", "ok"])
            #expect(outcomes[4].contains(" directories false times false failure none"), "\(outcomes[4])")
            #expect(try files.fixture.remains() == [])
        }

        @Test("Only files on local file systems are read from the cache without a thread")
        func cachedReads() async throws {
            let cached = "cached * errno \(EIO)"
            let type = "fstatfs * type"
            for remote in [FaultyFileSystem.nfs, "0xFF534D42", "0x65735546", "0x794C7630", "0x12345"] {
                let outcomes = try await files.use(["\(type) \(remote)", cached], ["put a 9 replace", "get a"])
                #expect(outcomes == ["ok", "9 bytes"], "\(remote)")
            }
            for local in ["0xEF53", "0x58465342", "0x01021994"] {
                let outcomes = try await files.use(["\(type) \(local)", cached], ["get a"])
                #expect(outcomes[0].hasPrefix("io"), "\(local)")
            }
        }

        @Test("Storages on other file systems go on while one file system hangs")
        func hangs() async throws {
            let other = files.path + "/other"
            try files.fixture.write("x", to: files.path + "/source")
            let gate = files.path + "/gate"
            let outcomes = try await files.run(
                ["fstat \(files.root) device 4711", "fsync \(files.root)/* block \(gate)"],
                [
                    "open \(files.root) fsync", "flood a 40", "blocked \(gate) 16", "cancel d",
                    "open \(other) fsync", "put b 10 fail", "get b",
                    "flood c 1 \(files.path)/source", "touch \(gate)", "settle",
                ]
            )
            #expect(outcomes[3] == "cancelled")
            #expect(outcomes[5...6] == ["ok", "10 bytes"])
            #expect(outcomes[9] == "41 ok")
        }

        @Test("Upload sources that hang do not block the storage")
        func hangingSources() async throws {
            try files.fixture.write("x", to: files.path + "/source")
            let gate = files.path + "/gate"
            let outcomes = try await files.use(
                ["pread */source block \(gate)"],
                [
                    "flood a 40 \(files.path)/source", "blocked \(gate) 16", "put b 10 fail", "get b",
                    "touch \(gate)", "settle",
                ]
            )
            #expect(outcomes[2...3] == ["ok", "10 bytes"])
            #expect(outcomes[5] == "40 ok")
        }
    }
#endif
