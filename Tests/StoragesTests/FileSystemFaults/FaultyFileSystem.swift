import Foundation
import StoredFilesTesting
import Testing

/// A directory, and runs of `FileSystemWorker` on it in which system calls fail.
struct FaultyFileSystem: Sendable {
    /// Numbers of linux/magic.h.
    static let nfs = "0x6969"
    /// Keeps uploads from files without names.
    static let nameless = "tmpfile * errno \(EOPNOTSUPP)"

    let fixture: FileSystemFixture
    /// The fixture's path and root as the kernel writes them, by which rules go.
    let path: String
    let root: String
    private let library: String
    private let rules: String

    init() async throws {
        fixture = try FileSystemFixture()
        let canonicalPath = try #require(realpath(fixture.path, nil))
        defer { free(canonicalPath) }
        path = String(cString: canonicalPath)
        root = path + "/root"
        library = try await Self.library.value
        rules = path + "/faults"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        for path in [path, root] {
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        }
    }

    /// The library, compiled once, in a folder that goes with the process.
    private static let library = Task {
        let folder = NSTemporaryDirectory() + "/FaultLibrary-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        atexit { try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "/FaultLibrary-\(getpid())") }
        let source = folder + "/faults.c"
        let library = folder + "/faults.so"
        try FaultLibrary.source.write(toFile: source, atomically: true, encoding: .utf8)
        let compiler = try await TestProgram.run("clang", ["-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"])
        try #require(compiler.status == 0, "\(compiler.output)")
        return library
    }

    /// Does the commands in one process; `rules` hold from its beginning.
    ///
    /// - Returns: What each came to, in their order.
    func run(_ rules: [String] = [], _ commands: [String]) async throws -> [String] {
        try (rules.joined(separator: "\n") + "\n").write(toFile: self.rules, atomically: true, encoding: .utf8)
        let run = try await TestProgram.run(
            TestProgram.path(of: "FileSystemWorker"),
            commands,
            environment: ["LD_PRELOAD": library, "FAULTS": self.rules]
        )
        try #require(run.status == 0, "\(run.output)")
        let lines = run.output.split(separator: "\n").map(String.init)
        try #require(lines.count == commands.count, "\(run.output)")
        return try zip(commands, lines).map { command, line in
            try #require(line.hasPrefix(command + ": "), "\(run.output)")
            return String(line.dropFirst(command.count + 2))
        }
    }

    /// The same with a storage on the root.
    func use(
        _ rules: [String] = [],
        durability: String = "fsync",
        _ commands: [String]
    ) async throws -> [String] {
        Array(try await run(rules, ["open \(root) \(durability)"] + commands).dropFirst())
    }
}
