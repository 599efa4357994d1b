import Foundation
import NIOConcurrencyHelpers

/// Runs programs without blocking a cooperative thread.
enum ChildProcess {
    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - directory: its working directory.
    ///   - output: the file that gets what it prints; nil throws that away.
    /// - Returns: its exit status.
    static func run(_ command: [String], in directory: String, output: String? = nil) async throws -> Int32 {
        let process = try make(command, in: directory, output: output)
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(throwing: error)
            }
        }
    }

    static func make(_ command: [String], in directory: String, output: String? = nil) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command.first ?? "")
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        // Settings for clients (PGHOST, PGOPTIONS, PGDATA) are not meant for this server.
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        if let output {
            _ = FileManager.default.createFile(atPath: output, contents: nil)
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
            process.standardOutput = file
            process.standardError = file
        } else {
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
        }
        return process
    }

    /// The path of a program on the search path.
    static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return directories.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
