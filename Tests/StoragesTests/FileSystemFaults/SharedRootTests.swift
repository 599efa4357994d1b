import Foundation
import Storages
import StoredFilesTesting
import Testing

#if os(Linux)
    /// Several users store files below one root.
    @Suite("FileSystemStorage: shared roots", .disabled(if: Sanitizer.isOn, "a library is loaded first"))
    struct SharedRootTests {
        let files: FaultyFileSystem
        private var staging: String { files.root + "/.stored-files-tmp" }

        init() async throws {
            files = try await FaultyFileSystem()
        }

        private func mode(_ path: String) throws -> UInt32 {
            var status = stat()
            try #require(stat(path, &status) == 0)
            return UInt32(status.st_mode) & 0o7777
        }

        @Test(
            "The directory for unfinished uploads has the permissions of the root, whatever the umask",
            arguments: [0o700, 0o755, 0o2775, 0o3777, 0o770]
        )
        func takesTheBitsOfTheRoot(bits: mode_t) async throws {
            try #require(chmod(files.root, bits) == 0)
            let outcomes = try await files.run([], ["umask 077", "open \(files.root) fsync", "put a 10 replace"])
            #expect(outcomes[2] == "ok")
            #expect(try mode(staging) == UInt32(bits))
        }

        @Test("A directory for unfinished uploads that an earlier version closed is opened by its owner")
        func opensTheClosed() async throws {
            try #require(chmod(files.root, 0o2775) == 0)
            try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: false)
            try #require(chmod(staging, 0o700) == 0)
            #expect(try await files.use([], ["put a 10 replace"]) == ["ok"])
            #expect(try mode(staging) == 0o2775)
        }

        @Test(
            "Several users of one group store and replace files below one root",
            .enabled(
                if: geteuid() == 0,
                "only the superuser can become another; mode bits are looked at above"
            )
        )
        func twoUsers() async throws {
            try #require(chown(files.root, 0, 65_533) == 0 && chmod(files.root, 0o2775) == 0)
            let open = "open \(files.root) fsync"
            let nameless = [FaultyFileSystem.nameless]
            for (user, name) in [(65_534, "a"), (65_533, "b"), (65_532, "a")] {
                let outcomes = try await files.run(
                    nameless,
                    ["umask 022", "become \(user) 65533", open, "put \(name) 10 replace", "put \(name)-\(user) 9 fail"]
                )
                #expect(outcomes[3...4] == ["ok", "ok"], "\(outcomes)")
            }
            #expect(try files.fixture.remains() == ["a", "b", "a-65534", "b-65533", "a-65532"])
        }

        @Test(
            "The error about a closed directory of another user names the command that opens it",
            .enabled(if: geteuid() == 0, "only the superuser can become another user")
        )
        func namesTheCommand() async throws {
            try #require(chown(files.root, 0, 65_533) == 0 && chmod(files.root, 0o2775) == 0)
            try FileManager.default.createDirectory(atPath: staging, withIntermediateDirectories: false)
            for bits in [mode_t(0o700), 0o755] {
                try #require(chown(staging, 65_534, 65_533) == 0 && chmod(staging, bits) == 0)
                let outcomes = try await files.run(
                    [],
                    ["become 65533 65533", "open \(files.root) fsync", "put a 10 replace", "probe", "put b 10 fail"]
                )
                #expect(outcomes[2].hasPrefix("permissionDenied"))
                #expect(outcomes[2].contains("run: chmod 2775 \"\(staging)\""), "\(outcomes[2])")
                #expect(outcomes[3].hasSuffix("failure permissionDenied"))
            }
            let command = try await TestProgram.run("chmod", ["2775", staging])
            #expect(command.status == 0)
            let again = try await files.run(
                [],
                ["become 65533 65533", "open \(files.root) fsync", "put a 10 replace"]
            )
            #expect(again[2] == "ok")
        }
    }
#endif
