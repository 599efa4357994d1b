import Foundation
import Platform

extension ChildProcess {
    /// Runs a program in a directory to its end.
    ///
    /// - Parameters:
    ///   - command: The program's path and its arguments.
    ///   - directory: Its working directory.
    ///   - output: The file that gets what it prints. Default: none.
    /// - Returns: Its exit status, or 128 and the number of the signal that ended it.
    /// - Throws: ``ChildProcessError``.
    static func run(_ command: [String], in directory: String, output: String? = nil) async throws -> Int32 {
        try await start(command, in: directory, output: output).wait().status
    }

    /// Starts a program in a directory; the caller must wait for it.
    ///
    /// - Parameters:
    ///   - command: The program's path and its arguments.
    ///   - directory: Its working directory.
    ///   - input: The descriptor it reads from. Default: none.
    ///   - output: The file that gets what it prints. Default: none.
    ///   - isServer: Whether it gets a process group of its own and writes its number to `ServerWatchdog.pidFile`, for
    ///     a watchdog over the directory.
    /// - Throws: ``ChildProcessError``.
    static func start(
        _ command: [String],
        in directory: String,
        input: Int32? = nil,
        output: String? = nil,
        isServer: Bool = false
    ) throws -> ChildProcess {
        var options = Options()
        options.input = input
        options.output = output.map { .file($0) } ?? .nowhere
        options.mergesErrors = true
        options.leadsGroup = isServer
        var script = "cd \"$0\" && "
        if isServer {
            // The child itself: there is no moment at which it runs and its number is not known.
            script += "echo $$ >\(ServerWatchdog.pidFile) && [ ! -e \(ServerWatchdog.closingFile) ] && "
        }
        // The shell changes the directory, which not every posix_spawn can.
        let arguments = ["/bin/sh", "-c", script + "exec \"$@\"", directory] + command
        do {
            return try ChildProcess(arguments, environment: cleanEnvironment(), options: options)
        } catch Failure.notStarted(let errno) {
            throw ChildProcessError(
                description: "Cannot run \(command.first ?? ""): \(String(cString: strerror(errno)))."
            )
        }
    }

    /// Our own environment, without the settings for clients (PGHOST, AWS_REGION): they are not meant for a server.
    private static func cleanEnvironment() -> [String: String] {
        let prefixes = ["PG", "AWS_", "RCLONE_", "WEED_", "PYTHON"]
        var environment = ProcessInfo.processInfo.environment.filter { variable in
            !prefixes.contains { variable.key.hasPrefix($0) }
        }
        environment["LC_ALL"] = "C"
        return environment
    }

    /// The path of a program on the search path.
    static func find(_ program: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin", "/usr/bin", "/bin"]
        return directories.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}

extension ChildProcess.Ending {
    /// The exit status, or 128 and the number of the signal; -1 when it is unknown.
    var status: Int32 {
        switch self {
        case .exited(let status): status
        case .killed(let signal): 128 + signal
        case .unknown: -1
        }
    }
}
