import Dispatch
import NIOConcurrencyHelpers
import Platform

/// A server that we started, and the process group that it leads.
final class ServerProcess: Sendable {
    /// The number of the process and of its group.
    let pid: pid_t
    /// Kept under the lock with everything that uses the number, which may be another process's after the end.
    private let status = NIOLockedValueBox<Int32?>(nil)

    /// Starts the program in a directory that a watchdog is over.
    ///
    /// - Throws: `ChildProcessError`.
    init(_ command: [String], in directory: String, log: String) throws {
        pid = try ChildProcess.start(command, in: directory, output: log, isServer: true)
    }

    deinit {
        guard endStatus == nil else { return }
        send(SIGKILL)
        // Killed, so this takes no time; and nobody else has the number.
        let pid = pid
        DispatchQueue.global().async { ChildProcess.wait(for: pid) }
    }

    /// Its exit status, or 128 and the number of the signal that ended it; nil while it runs.
    var endStatus: Int32? {
        status.withLockedValue { status in
            if status == nil { status = ChildProcess.endStatus(of: pid) }
            return status
        }
    }

    /// Sends a signal to the whole group, unless the process was seen to have ended.
    func send(_ signal: Int32) {
        status.withLockedValue { status in
            if status == nil { _ = kill(-pid, signal) }
        }
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
