import Dispatch
import Foundation

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs programs without blocking a cooperative thread.
///
/// Not Foundation's `Process`: that learns of the end through a socket, which a server that the program leaves behind
/// (as `pg_ctl start` does) inherits and keeps open for ever.
enum ChildProcess {
    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - directory: its working directory.
    ///   - output: the file that gets what it prints; nil throws that away.
    /// - Returns: its exit status, or 128 and the number of the signal that ended it.
    static func run(_ command: [String], in directory: String, output: String? = nil) async throws -> Int32 {
        let pid = try start(command, in: directory, output: output)
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: wait(for: pid)) }
        }
    }

    /// Starts a program; whoever calls must `wait` for it.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - directory: its working directory.
    ///   - input: the descriptor it reads from; nil for none.
    ///   - output: the file that gets what it prints; nil throws that away.
    static func start(
        _ command: [String],
        in directory: String,
        input: Int32? = nil,
        output: String? = nil
    ) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", flags, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // The shell changes the directory, which not every posix_spawn can.
        let arguments = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", directory] + command
        // Settings for clients (PGHOST, PGOPTIONS, PGDATA) are not meant for this server.
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("PG") }
        environment["LC_ALL"] = "C"
        var pid: pid_t = 0
        let spawned = withCStrings(arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                posix_spawn(&pid, "/bin/sh", &actions, nil, argv, envp)
            }
        }
        let status = (spawned ?? nil) ?? EINVAL
        guard status == 0 else {
            throw TemporaryPostgresError(
                .startFailed,
                "Cannot run \(command.first ?? ""): \(String(cString: strerror(status)))."
            )
        }
        return pid
    }

    /// Blocks until the program has ended.
    @discardableResult
    static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        // WEXITSTATUS and WTERMSIG, which are macros.
        return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
    }

    /// The path of a program on the search path.
    static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return directories.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    private static func withCStrings<R>(
        _ strings: [String],
        _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
    ) -> R? {
        var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) } + [nil]
        defer { copies.forEach { free($0) } }
        return copies.withUnsafeMutableBufferPointer { buffer in
            // Never empty: the terminating nil is always there.
            buffer.baseAddress.map(body)
        }
    }
}
