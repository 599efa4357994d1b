import NIOConcurrencyHelpers

extension ChildProcess {
    /// The output of a program that has ended; it may be secret.
    package struct Output: Sendable {
        package var bytes: [UInt8]
        package var ending: Ending

        package init(bytes: [UInt8], ending: Ending) {
            self.bytes = bytes
            self.ending = ending
        }
    }

    /// Runs a program to its end, in a process group of its own, and takes its output up to a limit.
    ///
    /// When it fails, takes too long, or the task is cancelled, the group is killed and the program waited for before
    /// this returns. Copies of the output that this makes are overwritten.
    ///
    /// - Parameters:
    ///   - arguments: The program, looked for in `PATH` unless it has a slash, and its arguments; at least one.
    ///   - environment: The program's environment.
    ///   - outputLimit: The most bytes it may print.
    ///   - timeout: The most time it may take.
    /// - Throws: ``Failure``; `CancellationError`.
    package static func run(
        _ arguments: [String],
        environment: [String: String],
        outputLimit: Int,
        timeout: Duration
    ) async throws -> Output {
        let run = try LimitedRun(outputLimit: outputLimit, deadline: .now + timeout)
        return try await withTaskCancellationHandler {
            try await onThread { Result { try run.run(arguments, environment) } }.get()
        } onCancel: {
            run.cancel()
        }
    }
}

/// A program whose output and time are limited, and the thread that serves it.
private final class LimitedRun: Sendable {
    private struct State {
        var process: ChildProcess?
        var isCancelled = false
    }

    private let outputLimit: Int
    private let deadline: ContinuousClock.Instant
    private let state = NIOLockedValueBox(State())
    /// A pipe that ends the waits of the thread.
    private let alarm: CloseOnExecPipe

    init(outputLimit: Int, deadline: ContinuousClock.Instant) throws {
        self.outputLimit = outputLimit
        self.deadline = deadline
        alarm = try CloseOnExecPipe()
    }

    func cancel() {
        let process = state.withLockedValue { state in
            state.isCancelled = true
            return state.process
        }
        process?.send(SIGKILL)
        alarm.signal()
    }

    func run(_ arguments: [String], _ environment: [String: String]) throws -> ChildProcess.Output {
        guard !isCancelled else { throw CancellationError() }
        let output = try CloseOnExecPipe()
        var options = ChildProcess.Options()
        options.output = .descriptor(output.writing)
        options.leadsGroup = true
        let process = try ChildProcess(arguments, environment: environment, options: options)
        output.closeWriting()
        state.withLockedValue { $0.process = process }
        var bytes: [UInt8] = []
        do {
            guard !isCancelled else { throw CancellationError() }
            try read(&bytes, from: output.reading)
            let ending = try waitForEnd(of: process)
            // The end of a program that was killed may be seen before the alarm that goes with it.
            guard !isCancelled else { throw CancellationError() }
            return ChildProcess.Output(bytes: bytes, ending: ending)
        } catch {
            wipe(&bytes)
            kill(process)
            throw error
        }
    }

    private var isCancelled: Bool { state.withLockedValue { $0.isCancelled } }

    private func read(_ bytes: inout [UInt8], from descriptor: Int32) throws {
        var chunk = [UInt8](repeating: 0, count: 4096)
        defer { wipe(&chunk) }
        while true {
            try waitForOutput(descriptor)
            let count = chunk.withUnsafeMutableBytes { readDescriptor(descriptor, $0) }
            if count < 0 {
                guard errno == EINTR || errno == EAGAIN else { throw failure("read the output") }
                continue
            }
            if count == 0 { return }
            guard bytes.count + count <= outputLimit else {
                throw ChildProcess.Failure.tooMuchOutput(limit: outputLimit)
            }
            // In place of growing, which would leave copies behind.
            if bytes.isEmpty { bytes.reserveCapacity(outputLimit) }
            bytes += chunk[..<count]
        }
    }

    /// Waits until there is something to read, or the other end is closed.
    private func waitForOutput(_ descriptor: Int32) throws {
        while true {
            let left = deadline - .now
            guard left > .zero else { throw ChildProcess.Failure.timedOut }
            var ends = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: alarm.reading, events: Int16(POLLIN), revents: 0),
            ]
            // Rounded up, so that the last wait does not become many of no length.
            let count = poll(&ends, 2, Int32(clamping: left.milliseconds))
            guard count >= 0 || errno == EINTR else { throw failure("wait for the output") }
            if ends[1].revents != 0 { throw CancellationError() }
            if ends[0].revents != 0 { return }
        }
    }

    /// Waits for the program, which may live on after it closed its output.
    private func waitForEnd(of process: ChildProcess) throws -> ChildProcess.Ending {
        var pause: Int32 = 1
        while true {
            if let ending = process.ending { return ending }
            guard deadline > .now else { throw ChildProcess.Failure.timedOut }
            var end = pollfd(fd: alarm.reading, events: Int16(POLLIN), revents: 0)
            if poll(&end, 1, pause) > 0 { throw CancellationError() }
            pause = min(pause * 2, 50)
        }
    }

    private func kill(_ process: ChildProcess) {
        process.send(SIGKILL)
        // A process that hangs in the kernel does not die at once; it must not keep the thread.
        let deadline = ContinuousClock.now + .seconds(5)
        while process.ending == nil, deadline > .now {
            _ = poll(nil, 0, 5)
        }
    }

    private func failure(_ operation: String) -> ChildProcess.Failure {
        .system(operation, errno: errno)
    }

    /// Overwrites bytes in a way no optimiser drops, and empties the array.
    private func wipe(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            #if canImport(Darwin)
                _ = memset_s(base, bytes.count, 0, bytes.count)
            #else
                explicit_bzero(base, bytes.count)
            #endif
        }
        bytes.removeAll()
    }
}

/// The system's function, which methods of that name would hide.
private func readDescriptor(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
    read(descriptor, buffer.baseAddress, buffer.count)
}
