import Foundation
import NIOConcurrencyHelpers

/// A program that runs in a process of its own, which inherits no descriptor, no blocked signal and no ignored one.
///
/// Not Foundation's `Process`: that learns of the end through a socket, which a server that the program leaves behind
/// (as `pg_ctl start` does) inherits and keeps open for ever.
package final class ChildProcess: Sendable {
    /// The way in which a program ended.
    package enum Ending: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case killed(signal: Int32)
        /// An unknown way: another part of this process waited for it.
        case unknown

        package var description: String {
            switch self {
            case .exited(let status): "ended with status \(status)"
            case .killed(let signal): "was ended by signal \(signal)"
            case .unknown: "ended, but another part of this process took its status"
            }
        }
    }

    /// An error that a program could not be started, or did not end as it should.
    package enum Failure: Error, Sendable {
        case notStarted(errno: Int32)
        case system(_ operation: String, errno: Int32)
        case timedOut
        case tooMuchOutput(limit: Int)
    }

    /// The place that the output of a program goes to.
    package enum OutputTarget: Sendable {
        case nowhere
        /// A file, which is created or emptied.
        case file(String)
        case descriptor(Int32)
    }

    /// The way in which a program is started.
    package struct Options: Sendable {
        /// The descriptor that it reads from.
        ///
        /// Default: `nil`, an empty input.
        package var input: Int32?
        /// The place that its output goes to.
        ///
        /// Default: nowhere.
        package var output = OutputTarget.nowhere
        /// A Boolean value that indicates whether its error output goes where its output goes, and not nowhere.
        ///
        /// Default: `false`.
        package var mergesErrors = false
        /// A Boolean value that indicates whether it leads a process group of its own, which gets all signals.
        ///
        /// Default: `false`.
        package var leadsGroup = false

        /// Creates options with the defaults.
        package init() {}
    }

    /// The number of the process, and of its group when it leads one.
    package let id: pid_t
    private let leadsGroup: Bool
    /// Locked with everything that uses the number, which may be another process's when this one was waited for.
    private let knownEnding = NIOLockedValueBox<Ending?>(nil)

    /// Starts a program; the caller must wait for it, or look at ``ending`` until there is one.
    ///
    /// - Parameters:
    ///   - arguments: The program, looked for in `PATH` unless it has a slash, and its arguments; at least one.
    ///   - environment: The program's environment.
    ///   - options: The way in which it is started.
    /// - Throws: ``Failure/notStarted(errno:)``.
    package init(_ arguments: [String], environment: [String: String], options: Options = Options()) throws {
        id = try Self.spawn(arguments, environment, options)
        leadsGroup = options.leadsGroup
    }

    /// The way in which the program ended; `nil` while it runs.
    package var ending: Ending? {
        knownEnding.withLockedValue { ending in
            if ending == nil { ending = Self.reap(id) }
            return ending
        }
    }

    /// Sends a signal to the program, or to its group when it leads one, unless it was seen to have ended.
    package func send(_ signal: Int32) {
        knownEnding.withLockedValue { ending in
            if ending == nil { _ = kill(leadsGroup ? -id : id, signal) }
        }
    }

    /// Waits until the program has ended, whether or not the task is cancelled.
    package func wait() async -> Ending {
        await Self.onThread { self.waitBlocking() }
    }

    /// Waits until the program has ended, on the calling thread.
    @discardableResult
    package func waitBlocking() -> Ending {
        while true {
            if let ending { return ending }
            // Leaves the process as it is, so that its number stays its own until it is looked at under the lock.
            var info = siginfo_t()
            _ = waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT)
        }
    }

    /// Runs blocking work on a thread of its own.
    static func onThread<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        // Unsafe: the thread sanitizer does not see what a checked one hands over. It is resumed once, by the thread.
        await withUnsafeContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: work()) }
        }
    }

    /// Takes the status of a process that has ended; returns `nil` while it runs.
    private static func reap(_ id: pid_t) -> Ending? {
        var status: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(id, &status, WNOHANG) } while result < 0 && errno == EINTR
        guard result != 0 else { return nil }
        guard result > 0 else { return .unknown }
        // WIFEXITED, WEXITSTATUS and WTERMSIG, which are macros.
        return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
    }
}
