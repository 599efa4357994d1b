import Foundation

/// A program of a test, in a process of its own.
package enum TestProgram {
    /// A program of this package, which stands beside the one that runs the tests.
    package static func path(of name: String) -> String {
        URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: name).path
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - program: Its path, or its name when it is in PATH.
    ///   - arguments: Its arguments.
    ///   - environment: What is added to the environment of this process.
    /// - Returns: Its exit status, and what it printed and reported.
    package static func run(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        let process = Process()
        // It sets the variables for the program alone: LD_PRELOAD must not be loaded into anything else.
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = environment.map { "\($0)=\($1)" } + [program] + arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        // Unsafe: the thread sanitizer does not see what a checked one hands over. It is resumed once, by the thread
        // below.
        return try await withUnsafeThrowingContinuation { continuation in
            // A thread of its own waits: no cooperative one may.
            Thread.detachNewThread {
                do {
                    try process.run()
                    let bytes = output.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    let text = String(decoding: bytes, as: UTF8.self)
                    continuation.resume(returning: (process.terminationStatus, text))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }
}
