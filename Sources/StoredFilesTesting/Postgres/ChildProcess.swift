import Foundation
import NIOPosix

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs programs without blocking a cooperative thread.
enum ChildProcess {
    /// Runs a program to its end.
    ///
    /// Not with Foundation's `Process`: that learns of the end when a socket closes, which a server started by the
    /// program inherits and keeps open.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - directory: its working directory.
    ///   - output: the file that gets what it prints; nil throws that away.
    /// - Returns: its exit status, 128 and the signal's number when a signal ended it.
    static func run(_ command: [String], in directory: String, output: String? = nil) async throws -> Int32 {
        let shell = ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", directory] + command
        let variables = environment.map { "\($0.key)=\($0.value)" }
        return try await NIOThreadPool.singleton.runIfActive {
            let child = try spawn(shell, variables, output: output ?? "/dev/null")
            var status: Int32 = 0
            while waitpid(child, &status, 0) == -1 {
                guard errno == EINTR else { throw failure("waitpid", errno) }
            }
            let signal = status & 0x7f
            return signal == 0 ? (status >> 8) & 0xff : 128 + signal
        }
    }

    private static func spawn(_ command: [String], _ variables: [String], output: String) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
        var settings: [UnsafeMutablePointer<CChar>?] = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + settings { free(text) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", &actions, nil, &arguments, &settings)
        guard code == 0 else { throw failure("posix_spawn", code) }
        return child
    }

    private static func failure(_ call: String, _ code: Int32) -> TemporaryPostgresError {
        TemporaryPostgresError(.startFailed, "\(call) failed: \(String(cString: strerror(code))).")
    }

    /// Settings for clients (PGHOST, PGOPTIONS, PGDATA) are not meant for this server.
    private static var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        return environment
    }

    static func make(_ command: [String], in directory: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command.first ?? "")
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: directory)
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        return process
    }

    /// The path of a program on the search path.
    static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return directories.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
