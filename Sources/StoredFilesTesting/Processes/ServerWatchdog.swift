import Dispatch
import NIOConcurrencyHelpers
import Platform

/// A small shell beside a server that ends it and removes its files when we let go of a pipe.
///
/// The system closes the pipe of a process however that ends, so nothing stays behind after a crash either.
final class ServerWatchdog: Sendable {
    /// The process that a watchdog ends.
    struct Target {
        /// The file that begins with the number of the process, relative to the directory.
        var pidFile: String
        /// The signal that asks the server to end, or kills it; ten seconds later it is killed.
        var signal: String
        /// A Boolean value that indicates whether signals go to the process group that the process leads.
        var isGroup: Bool

        /// The first process of a PostgreSQL cluster.
        static let postmaster = Target(pidFile: "data/postmaster.pid", signal: "QUIT", isGroup: false)
        /// The process that `ChildProcess.start(…, isServer: true)` starts.
        static let server = Target(pidFile: ServerWatchdog.pidFile, signal: "TERM", isGroup: true)
        /// The same when it takes its time after being asked to end.
        static let unwillingServer = Target(pidFile: ServerWatchdog.pidFile, signal: "KILL", isGroup: true)
    }

    /// The file into which a server that we start writes its process id.
    static let pidFile = "server.pid"
    /// The file that appears when the watchdog begins; a server that finds it after having written its process id does
    /// not start.
    static let closingFile = "closing"
    /// The paths of files that a server leaves outside the directory, one a line; they are removed, too.
    static let outsideFile = "outside"

    // $1 is the directory, $2 the file with the process's number, $3 the signal, and $4 a minus sign for a process
    // group. The process has the directory in its arguments: that number may be somebody else's by now. Signals of the
    // terminal go to the whole process group: this one has to survive.
    private static let script = """
        trap '' INT TERM HUP QUIT PIPE
        while read -r line; do :; done
        true >"$1/\(closingFile)"
        pid=$(head -n 1 "$1/$2" 2>/dev/null)
        is_ours() {
            [ -n "$pid" ] || return 1
            if [ -r "/proc/$pid/cmdline" ]; then grep -qa -e "$1" "/proc/$pid/cmdline"
            else ps -o args= -p "$pid" 2>/dev/null | grep -q -e "$1"; fi
        }
        if is_ours "$1"; then
            kill -s "$3" -- "$4$pid"
            n=0
            # A process that leads no group was left by its parent, and is gone when its new one has noticed, too.
            while kill -0 "$pid" 2>/dev/null && { [ -z "$4" ] || is_ours "$1"; } && [ $n -lt 200 ]; do
                sleep 0.05
                n=$((n + 1))
            done
            if is_ours "$1"; then kill -s KILL -- "$4$pid"; fi
        fi
        if [ -r "$1/\(outsideFile)" ]; then
            while read -r file; do rm -f -- "$file"; done <"$1/\(outsideFile)"
        fi
        n=0
        while [ -e "$1" ] && [ $n -lt 20 ]; do rm -rf "$1" 2>/dev/null || sleep 0.1; n=$((n + 1)); done
        """

    private static let live = NIOLockedValueBox<[ObjectIdentifier: ServerWatchdog]>([:])
    private static let atExit: Void = {
        atexit { ServerWatchdog.releaseAll() }
    }()

    let directory: String
    /// The pipe that the shell reads until its end.
    private let pipe: CloseOnExecPipe
    private let shell: ChildProcess

    /// Starts to watch over a directory.
    ///
    /// - Parameters:
    ///   - directory: what is removed.
    ///   - target: what is ended before.
    /// - Throws: `ChildProcessError`.
    init(directory: String, over target: Target) throws {
        self.directory = directory
        do {
            pipe = try CloseOnExecPipe()
        } catch ChildProcess.Failure.system(_, let errno) {
            throw ChildProcessError(description: "No pipe: \(String(cString: strerror(errno))).")
        }
        let command = [
            "/bin/sh", "-c", Self.script, "sh", directory, target.pidFile, target.signal, target.isGroup ? "-" : "",
        ]
        shell = try ChildProcess.start(command, in: "/", input: pipe.reading)
        _ = Self.atExit
        Self.live.withLockedValue { $0[ObjectIdentifier(self)] = self }
    }

    /// The number of the shell.
    var process: pid_t { shell.id }

    /// Starts the watchdog's work; returns at once.
    ///
    /// Calling it again does nothing.
    func release() {
        pipe.closeWriting()
    }

    /// Starts the watchdog's work and waits for its end.
    func releaseAndWait() async {
        release()
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { [self] in
                waitForExit()
                continuation.resume()
            }
        }
    }

    /// Starts the watchdog's work and waits for its end on another thread; returns at once.
    func releaseAndForget() {
        release()
        DispatchQueue.global().async { [self] in waitForExit() }
    }

    /// Waits for the child, which is a zombie until then.
    private func waitForExit() {
        waitUntilGone(seconds: 30)
        shell.waitBlocking()
        _ = Self.live.withLockedValue { $0.removeValue(forKey: ObjectIdentifier(self)) }
    }

    private func waitUntilGone(seconds: Int) {
        for _ in 0..<(seconds * 100) where access(directory, F_OK) == 0 { usleep(10_000) }
    }

    private static func releaseAll() {
        let watchdogs = live.withLockedValue { Array($0.values) }
        watchdogs.forEach { $0.release() }
        watchdogs.forEach { $0.waitUntilGone(seconds: 5) }
    }
}
