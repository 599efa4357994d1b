import Dispatch
import Foundation
import Platform

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
    /// - Throws: `ChildProcessError`.
    static func run(_ command: [String], in directory: String, output: String? = nil) async throws -> Int32 {
        let pid = try start(command, in: directory, output: output)
        return await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: wait(for: pid)) }
        }
    }

    /// Starts a program; the caller must `wait` for it.
    ///
    /// - Parameters:
    ///   - command: the program's path and its arguments.
    ///   - directory: its working directory.
    ///   - input: the descriptor it reads from; nil for none.
    ///   - output: the file that gets what it prints; nil throws that away.
    ///   - isServer: whether it gets a process group of its own and writes its number to `ServerWatchdog.pidFile`, for
    ///     a watchdog over the directory.
    /// - Throws: `ChildProcessError`.
    static func start(
        _ command: [String],
        in directory: String,
        input: Int32? = nil,
        output: String? = nil,
        isServer: Bool = false
    ) throws -> pid_t {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", flags, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        // Sockets of this process are not all closed by exec, and one that a server keeps never ends for the other
        // side.
        #if canImport(Darwin)
            var attributeFlags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_CLOEXEC_DEFAULT
        #else
            var attributeFlags = POSIX_SPAWN_SETSIGMASK
            _ = closeFrom?(&actions, 3)
        #endif
        // The threads of Dispatch block all signals, and what they start would never hear SIGTERM.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var script = "cd \"$0\" && "
        if isServer {
            // The child itself: there is no moment at which it runs and its number is not known.
            script += "echo $$ >\(ServerWatchdog.pidFile) && [ ! -e \(ServerWatchdog.closingFile) ] && "
            attributeFlags |= POSIX_SPAWN_SETPGROUP
            posix_spawnattr_setpgroup(&attributes, 0)
        }
        posix_spawnattr_setflags(&attributes, Int16(attributeFlags))
        // The shell changes the directory, which not every posix_spawn can.
        let arguments = ["/bin/sh", "-c", script + "exec \"$@\"", directory] + command
        let environment = cleanEnvironment()
        var pid: pid_t = 0
        let spawned = withCStrings(arguments) { argv in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { envp in
                posix_spawn(&pid, "/bin/sh", &actions, &attributes, argv, envp)
            }
        }
        let status = (spawned ?? nil) ?? EINVAL
        guard status == 0 else {
            throw ChildProcessError(
                description: "Cannot run \(command.first ?? ""): \(String(cString: strerror(status)))."
            )
        }
        return pid
    }

    #if !canImport(Darwin)
        private typealias CloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, CInt) -> CInt
        // Adds "close all from this number on" to the actions: in the C library since glibc 2.34, not in all others,
        // and not shown to Swift. The type is the one of the manual, so the cast is right.
        private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
            unsafeBitCast($0, to: CloseFrom.self)
        }
    #endif

    /// Our own environment, without the settings for clients (PGHOST, AWS_REGION): they are not meant for a server.
    private static func cleanEnvironment() -> [String: String] {
        let prefixes = ["PG", "AWS_", "RCLONE_", "WEED_", "PYTHON"]
        var environment = ProcessInfo.processInfo.environment.filter { variable in
            !prefixes.contains { variable.key.hasPrefix($0) }
        }
        environment["LC_ALL"] = "C"
        return environment
    }

    /// Blocks until the program has ended.
    ///
    /// - Returns: as `run`; -1 when there is no such child.
    @discardableResult
    static func wait(for pid: pid_t) -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        return meaning(of: status)
    }

    /// Returns what `wait` would return, without blocking; nil while the program runs.
    static func endStatus(of pid: pid_t) -> Int32? {
        var status: Int32 = 0
        while true {
            switch waitpid(pid, &status, WNOHANG) {
            case 0: return nil
            case pid: return meaning(of: status)
            default: guard errno == EINTR else { return -1 }
            }
        }
    }

    /// WEXITSTATUS and WTERMSIG, which are macros.
    private static func meaning(of status: Int32) -> Int32 {
        status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
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
