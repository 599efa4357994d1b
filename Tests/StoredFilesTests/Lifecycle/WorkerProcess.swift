import Foundation
import NIOConcurrencyHelpers
import StoredFilesTesting
import TestSupport

/// The worker of the crash tests in a process of its own.
final class WorkerProcess: Sendable {
    enum Status: Equatable {
        case exited(Int32)
        case killed
        case running
    }

    private struct State {
        var isReady = false
        var status = Status.running
    }

    private let pid: pid_t
    private let state = NIOLockedValueBox(State())

    /// Starts the program that stands beside the tests' own, or another one.
    init(_ arguments: [String], program: String? = nil) throws {
        let program = program ?? TestProgram.path(of: "LifecycleWorker")
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw WorkerMissing(description: "\(program) is missing; build it with swift build --build-tests")
        }
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw WorkerMissing(description: "no pipe: \(errno)") }
        // Another child that is started meanwhile must not hold the pipe open.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        var argv: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, nil, &argv, environ)
        close(ends[1])
        guard failure == 0 else {
            close(ends[0])
            throw WorkerMissing(description: "\(program) cannot be started: \(failure)")
        }
        self.pid = pid
        let output = ends[0]
        Thread.detachNewThread { [state, pid] in Self.watch(pid, output, state) }
    }

    deinit {
        // A test that fails leaves none behind.
        if isRunning { kill() }
    }

    /// Reads until the process is gone, then learns how it ended.
    private static func watch(_ pid: pid_t, _ output: Int32, _ state: NIOLockedValueBox<State>) {
        var byte: UInt8 = 0
        while read(output, &byte, 1) > 0 {
            if byte == 0x0A { state.withLockedValue { $0.isReady = true } }
        }
        close(output)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        // WIFSIGNALED and WTERMSIG, which are macros.
        let signal = status & 0x7F
        state.withLockedValue { $0.status = signal == SIGKILL ? .killed : .exited(signal == 0 ? status >> 8 : signal) }
    }

    var isRunning: Bool { state.withLockedValue { $0.status == .running } }

    func kill() {
        _ = Foundation.kill(pid, SIGKILL)
    }

    func waitUntilReady() async throws {
        _ = try await eventually { state.withLockedValue { $0.isReady || $0.status != .running } }
        if state.withLockedValue({ $0.isReady }) { return }
        kill()
        throw WorkerMissing(description: "the worker did not begin: \(state.withLockedValue { $0.status })")
    }

    /// Returns how it ended; after the time limit it is killed with another signal, so that it shows.
    func waitUntilExit(timeout: Duration) async -> Status {
        let end = ContinuousClock.now + timeout
        while ContinuousClock.now < end {
            let status = state.withLockedValue { $0.status }
            if status != .running { return status }
            try? await Task.sleep(for: .milliseconds(2))
        }
        _ = Foundation.kill(pid, SIGTERM)
        return .running
    }
}

struct WorkerMissing: Error, CustomStringConvertible {
    let description: String
}
