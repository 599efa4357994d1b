import Dispatch
import Platform

/// A server that we started, and the process group that it leads.
final class ServerProcess: Sendable {
    private let process: ChildProcess

    /// Starts the program in a directory that a watchdog is over.
    ///
    /// - Throws: `ChildProcessError`.
    init(_ command: [String], in directory: String, log: String) throws {
        process = try ChildProcess.start(command, in: directory, output: log, isServer: true)
    }

    deinit {
        guard endStatus == nil else { return }
        send(SIGKILL)
        // Killed, so this takes no time.
        DispatchQueue.global().async { [process] in process.waitBlocking() }
    }

    /// The number of the process and of its group.
    var pid: pid_t { process.id }

    /// Its exit status, or 128 and the number of the signal that ended it; nil while it runs.
    var endStatus: Int32? { process.ending?.status }

    /// Sends a signal to the whole group, unless the process was seen to have ended.
    func send(_ signal: Int32) {
        process.send(signal)
    }

    /// Waits until the process has ended, whether or not the task is cancelled.
    ///
    /// - Parameter seconds: how long at most.
    /// - Returns: whether it has ended.
    func hasEnded(within seconds: Int) async -> Bool {
        for _ in 0..<(seconds * 50) {
            if endStatus != nil { return true }
            await withCheckedContinuation { continuation in
                DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
            }
        }
        return endStatus != nil
    }
}
