import Foundation
import Storages
import StoredFilesTesting
import Testing

#if os(Linux)
    /// File systems that lack a way to place a file without overwriting another.
    @Suite("FileSystemStorage: placement of files", .disabled(if: Sanitizer.isOn, "a library is loaded first"))
    struct PlacementTests {
        let files: FaultyFileSystem

        init() async throws {
            files = try await FaultyFileSystem()
        }

        private static let refusals = [EPERM, EOPNOTSUPP, ENOSYS, EINVAL]
        private static let cases: [(rules: [String], placement: String)] =
            [([FaultyFileSystem.nameless], "link")]
            // A kernel that makes files without names, but gives them none, and has no other links either.
            + refusals.map { (["linkat * errno \($0)"], "exclusiveRename") }
            + refusals.map {
                ([FaultyFileSystem.nameless, "linkat * errno \(EPERM)", "renameat2 * errno \($0)"], "placeholder")
            }
            + [(["tmpfile * errno \(EISDIR)", "linkat * errno \(EXDEV)"], "exclusiveRename")]

        @Test(
            "Each way to place a file overwrites none and lets exactly one of 32 writers win",
            arguments: cases
        )
        func everyWay(rules: [String], placement: String) async throws {
            let outcomes = try await files.use(
                rules,
                [
                    "put d/first 300000 fail", "put d/first 10 fail", "put d/first 3000000 rename", "get d/first",
                    "put d/first 20 replace", "race d/race 32", "probe",
                ]
            )
            #expect(outcomes[0] == "ok")
            #expect(outcomes[1].hasPrefix("alreadyExists"))
            #expect(outcomes[2] == "ok")
            #expect(outcomes[3] == "300000 bytes")
            #expect(outcomes[4] == "ok")
            #expect(outcomes[5] == "1 won, 31 lost, whole")
            #expect(outcomes[6].contains(" placement \(placement) "), "\(outcomes[6])")
            let left = try files.fixture.remains()
            #expect(left.count == 4 && left.isSuperset(of: ["d/", "d/first", "d/race"]), "\(left)")
        }

        @Test("A refused way to place a file is not tried again once another one has worked")
        func remembers() async throws {
            let outcomes = try await files.use(
                ["linkat * errno \(EPERM)"],
                [
                    "put a 10 fail", "rules linkat * errno \(EIO);tmpfile * errno \(EIO)", "put b 10 fail",
                    "rules renameat2 * errno \(EIO)", "put c 10 fail",
                ]
            )
            #expect(outcomes[0] == "ok" && outcomes[2] == "ok")
            // So the rule does apply.
            #expect(outcomes[4].hasPrefix("io"))
        }

        @Test(
            "An upload to a full or read-only disk does not decide how later files are placed",
            arguments: [ENOSPC, EROFS, EACCES]
        )
        func startsBadly(errno: Int32) async throws {
            let outcomes = try await files.use(
                ["tmpfile * errno \(errno)", "create * errno \(errno)", "linkat * errno \(errno)"],
                ["put a 10 fail", "rules create * errno \(EIO);renameat2 * errno \(EIO)", "put b 10 fail"]
            )
            #expect(outcomes[0].hasPrefix(errno == ENOSPC ? "outOfSpace" : "permissionDenied"))
            #expect(outcomes[2] == "ok")
            #expect(try files.fixture.remains() == ["b"])
        }

        @Test("A missing permission is reported, and does not decide how later files are placed")
        func missingPermission() async throws {
            let outcomes = try await files.use(
                ["linkat * errno \(EPERM)", "renameat2 * errno \(EPERM)", "create */a errno \(EPERM)"],
                [
                    "put d/a 10 fail", FaultyRules.onlyNamelessLinks, "put d/b 10 fail",
                ]
            )
            #expect(outcomes[0].hasPrefix("permissionDenied"))
            #expect(outcomes[2] == "ok")
            #expect(try files.fixture.remains() == ["d/", "d/b"])
        }

        private enum FaultyRules {
            static let onlyNamelessLinks = "rules renameat2 * errno \(EIO);create * errno \(EIO)"
        }

        @Test("A placeholder is removed when the file cannot take its place", arguments: [ENOSPC, EIO, EACCES])
        func placeholderGoes(errno: Int32) async throws {
            let rules = [FaultyFileSystem.nameless, "linkat * errno \(EPERM)", "renameat2 * errno \(EINVAL)"]
            let outcomes = try await files.use(
                rules + ["renameat */a errno \(errno) 1"],
                ["put d/a 10 fail", "list", "put d/a 10 fail", "list"]
            )
            #expect(!outcomes[0].hasPrefix("ok") && !outcomes[0].hasPrefix("alreadyExists"))
            #expect(outcomes[1] == "")
            #expect(outcomes[2] == "ok" && outcomes[3] == "d/a")
            #expect(try files.fixture.remains() == ["d/", "d/a"])
        }

        @Test("A name that a Windows share refuses is reported as invalid, even if the error says missing")
        func missingNames() async throws {
            let rules = [FaultyFileSystem.nameless] + ["linkat", "renameat"].map { "\($0) */a:b errno \(ENOENT)" }
            let outcomes = try await files.use(rules, ["put a:b 10 fail", "put a:b 10 replace", "put a 10 fail"])
            #expect(outcomes[0].hasPrefix("invalidName") && outcomes[1].hasPrefix("invalidName"), "\(outcomes)")
            #expect(outcomes[2] == "ok")
            #expect(try files.fixture.remains() == ["a"])
        }

        @Test("A name that the file system refuses is reported as invalid")
        func refusedNames() async throws {
            let outcomes = try await files.use(
                [
                    FaultyFileSystem.nameless, "linkat * errno \(EINVAL)", "renameat2 * errno \(EINVAL)",
                    "create */a errno \(EINVAL)", "renameat */a errno \(EINVAL)",
                ],
                ["put a 10 fail", "put a 10 replace"]
            )
            #expect(outcomes.allSatisfy { $0.hasPrefix("invalidName") }, "\(outcomes)")
            #expect(try files.fixture.remains() == [])
        }
    }
#endif
