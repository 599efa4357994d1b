import NIOConcurrencyHelpers
import Platform
import Storages
import StoragesHTTP

/// A program that runs in a process group of its own, and whose output is taken up to a limit.
final class ChildProcess: Sendable {
    /// The way in which a program ended.
    enum Ending: Hashable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case killed(signal: Int32)
        /// An unknown way: another part of this process waited for it.
        case unknown

        var description: String {
            switch self {
            case .exited(let status): "ended with status \(status)"
            case .killed(let signal): "was ended by signal \(signal)"
            case .unknown: "ended, but another part of this process took its status"
            }
        }
    }

    struct Output: Sendable, SecretHolding {
        var bytes: [UInt8]
        var ending: Ending
    }

    enum Failure: Error, Sendable {
        case notStarted(SystemCallFailure)
        case system(String, SystemCallFailure)
        case timedOut
        case tooMuchOutput(limit: Int)
    }

    private struct State {
        /// The id of the process, set while it is this child's: from its start until it has been waited for.
        var pid: pid_t?
        var isCancelled = false
    }

    private let state = NIOLockedValueBox(State())
    /// A pipe that ends the waits of the thread that serves the child.
    private let alarm: Pipe

    private init() throws {
        alarm = try Pipe()
    }

    /// Runs a program to its end, on a thread of the blocking pool.
    ///
    /// When it fails, takes too long, or the task is cancelled, the program's group is killed and the program waited
    /// for before this returns.
    ///
    /// - Parameters:
    ///   - arguments: The program, looked for in `PATH` unless it has a slash, and its arguments; at least one.
    ///   - environment: The program's environment.
    ///   - outputLimit: The most bytes it may print.
    ///   - timeout: The most time it may take.
    /// - Throws: ``Failure``; `CancellationError`.
    static func run(
        _ arguments: [String],
        environment: [String: String],
        outputLimit: Int,
        timeout: Duration
    ) async throws -> Output {
        let child = try ChildProcess()
        return try await withTaskCancellationHandler {
            try await BlockingPool.run {
                try child.run(arguments, environment, outputLimit, until: .now + timeout)
            }
        } onCancel: {
            child.cancel()
        }
    }

    private func cancel() {
        state.withLockedValue { state in
            state.isCancelled = true
            if let pid = state.pid { _ = kill(-pid, SIGKILL) }
        }
        alarm.signal()
    }

    private func run(
        _ arguments: [String],
        _ environment: [String: String],
        _ outputLimit: Int,
        until deadline: ContinuousClock.Instant
    ) throws -> Output {
        let output = try Pipe()
        let pid = try ChildProcess.spawn(arguments, environment, output: output.writing)
        output.closeWriting()
        let isCancelled = state.withLockedValue { state in
            state.pid = pid
            return state.isCancelled
        }
        var bytes: [UInt8] = []
        do {
            if isCancelled { throw CancellationError() }
            try read(&bytes, from: output.reading, upTo: outputLimit, until: deadline)
            let ending = try waitForEnd(until: deadline)
            // The end of a program that was killed may be seen before the alarm that goes with it.
            guard !state.withLockedValue({ $0.isCancelled }) else { throw CancellationError() }
            return Output(bytes: bytes, ending: ending)
        } catch {
            bytes.wipe()
            killAndWait()
            throw error
        }
    }

    private func read(
        _ bytes: inout [UInt8],
        from descriptor: Int32,
        upTo limit: Int,
        until deadline: ContinuousClock.Instant
    ) throws {
        var chunk = [UInt8](repeating: 0, count: 4096)
        defer { chunk.wipe() }
        while true {
            try waitFor(descriptor, until: deadline)
            let count = chunk.withUnsafeMutableBytes { ChildProcess.read(descriptor, $0) }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw ChildProcess.failure("read the output") }
                continue
            }
            if count == 0 { return }
            guard bytes.count + count <= limit else { throw Failure.tooMuchOutput(limit: limit) }
            // In place of growing, which would leave copies behind.
            if bytes.isEmpty { bytes.reserveCapacity(limit) }
            bytes += chunk[..<count]
        }
    }

    /// Waits until there is something to read, or the other end is closed.
    private func waitFor(_ descriptor: Int32, until deadline: ContinuousClock.Instant) throws {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw Failure.timedOut }
            var ends = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: alarm.reading, events: Int16(POLLIN), revents: 0),
            ]
            // Rounded up, so that the last wait does not become many of no length.
            let count = poll(&ends, 2, Int32(clamping: left.milliseconds))
            guard count >= 0 || errno == EINTR else { throw ChildProcess.failure("wait for the output") }
            if ends[1].revents != 0 { throw CancellationError() }
            if ends[0].revents != 0 { return }
        }
    }

    /// Waits for the program, which may live on after it closed its output.
    private func waitForEnd(until deadline: ContinuousClock.Instant) throws -> Ending {
        var pause: Int32 = 1
        while true {
            if let ending = reap() { return ending }
            guard deadline > .now else { throw Failure.timedOut }
            var end = pollfd(fd: alarm.reading, events: Int16(POLLIN), revents: 0)
            if poll(&end, 1, pause) > 0 { throw CancellationError() }
            pause = min(pause * 2, 50)
        }
    }

    /// Returns, without waiting, how the program ended; `nil` while it runs.
    private func reap() -> Ending? {
        state.withLockedValue { state in
            guard let pid = state.pid else { return .unknown }
            var status: Int32 = 0
            let result = waitpid(pid, &status, WNOHANG)
            guard result != 0, result > 0 || errno != EINTR else { return nil }
            state.pid = nil
            guard result > 0 else { return .unknown }
            // WIFEXITED, WEXITSTATUS and WTERMSIG, which are macros.
            return status & 0x7F == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal: status & 0x7F)
        }
    }

    private func killAndWait() {
        state.withLockedValue { state in
            if let pid = state.pid { _ = kill(-pid, SIGKILL) }
        }
        // A process that hangs in the kernel does not die at once; it must not keep the thread.
        let deadline = ContinuousClock.now + .seconds(5)
        while reap() == nil, deadline > .now {
            _ = poll(nil, 0, 5)
        }
    }

    private static func failure(_ operation: String) -> Failure {
        .system(operation, SystemCallFailure(errno: errno))
    }

    // `read` alone would mean the method above.
    private static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
        #if canImport(Darwin)
            Darwin.read(descriptor, buffer.baseAddress, buffer.count)
        #elseif canImport(Musl)
            Musl.read(descriptor, buffer.baseAddress, buffer.count)
        #else
            Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        #endif
    }
}
