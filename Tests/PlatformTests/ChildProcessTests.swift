import Foundation
import Platform
import TestSupport
import Testing

@Suite("Child processes", .timeLimit(.minutes(3)))
struct ChildProcessTests {
    private static let environment = ["PATH": "/usr/bin:/bin"]

    private func start(_ script: String, _ options: ChildProcess.Options = .init()) throws -> ChildProcess {
        try ChildProcess(["/bin/sh", "-c", script], environment: Self.environment, options: options)
    }

    private func run(
        _ script: String,
        outputLimit: Int = 1 << 16,
        timeout: Duration = .seconds(120)
    ) async throws -> ChildProcess.Output {
        try await ChildProcess.run(
            ["/bin/sh", "-c", script],
            environment: Self.environment,
            outputLimit: outputLimit,
            timeout: timeout
        )
    }

    private func isGone(_ id: pid_t) -> Bool {
        guard kill(id, 0) == 0 else { return true }
        // One that was left by its parent and has died is not always waited for.
        let status = try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        return status?.contains(") Z ") == true
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path)
    }

    /// Waits for a file into which a script writes a number and the end of the line.
    private func number(in path: String) async throws -> pid_t {
        try #require(await eventually { (try? String(contentsOfFile: path, encoding: .utf8))?.hasSuffix("\n") == true })
        return try #require(pid_t(String(contentsOfFile: path, encoding: .utf8).dropLast()))
    }

    // MARK: The end

    @Test("A child process reports its exit status or signal, however often it is asked")
    func endings() async throws {
        for (script, ending) in [
            ("exit 0", ChildProcess.Ending.exited(0)), ("exit 255", .exited(255)),
            ("kill -TERM $$", .killed(signal: SIGTERM)),
        ] {
            let child = try start(script)
            #expect(await child.wait() == ending)
            #expect(await child.wait() == ending)
            #expect(child.waitBlocking() == ending)
            #expect(child.ending == ending)
            #expect(try await run(script).ending == ending)
        }
    }

    @Test("A child process whose status was reaped elsewhere reports an unknown ending")
    func stolen() async throws {
        let child = try start("exit 3")
        var status: Int32 = 0
        #expect(waitpid(child.id, &status, 0) == child.id)
        #expect(await child.wait() == .unknown)
    }

    @Test("A child process that ignores SIGTERM is ended by SIGKILL")
    func ignoredSignal() async throws {
        let pipe = try CloseOnExecPipe()
        var options = ChildProcess.Options()
        options.output = .descriptor(pipe.writing)
        let child = try start("trap '' TERM; echo ready; exec sleep 600", options)
        // There when the signal is ignored.
        var byte: UInt8 = 0
        #expect(read(pipe.reading, &byte, 1) == 1)
        child.send(SIGTERM)
        try await Task.sleep(for: .milliseconds(100))
        #expect(child.ending == nil)
        child.send(SIGKILL)
        #expect(await child.wait() == .killed(signal: SIGKILL))
        child.send(SIGKILL)
        #expect(child.ending == .killed(signal: SIGKILL))
    }

    @Test("Waiting for many child processes takes no thread of the cooperative pool")
    func manyWaits() async throws {
        let pipe = try CloseOnExecPipe()
        var options = ChildProcess.Options()
        options.input = pipe.reading
        let children = try (0..<64).map { _ in
            try ChildProcess(["/bin/cat"], environment: Self.environment, options: options)
        }
        let ends = children.map { child in Task { await child.wait() } }
        for _ in 0..<1000 { await Task.yield() }
        #expect(children.allSatisfy { $0.ending == nil })
        pipe.closeWriting()
        for end in ends { #expect(await end.value == .exited(0)) }
    }

    // MARK: Input and output

    @Test("Ten megabytes of output of a child process arrive complete")
    func largeOutput() async throws {
        let count = 10 << 20
        let output = try await run("head -c \(count) /dev/zero | tr '\\0' x", outputLimit: count)
        #expect(output.ending == .exited(0))
        #expect(output.bytes.count == count)
        #expect(output.bytes.allSatisfy { $0 == UInt8(ascii: "x") })
    }

    @Test("A child process that prints more than the limit is killed")
    func tooMuchOutput() async throws {
        do {
            _ = try await run("head -c 1001 /dev/zero; exec sleep 600", outputLimit: 1000)
            Issue.record("It was not killed.")
        } catch ChildProcess.Failure.tooMuchOutput(let limit) {
            #expect(limit == 1000)
        }
        #expect(try await run("head -c 1000 /dev/zero", outputLimit: 1000).bytes.count == 1000)
    }

    @Test("A child process can write its output and errors to a file and read from a descriptor")
    func files() async throws {
        try await withFolder { folder in
            for merges in [true, false] {
                let pipe = try CloseOnExecPipe()
                pipe.signal()
                pipe.closeWriting()
                var options = ChildProcess.Options()
                options.input = pipe.reading
                options.output = .file("\(folder)/output")
                options.mergesErrors = merges
                let child = try start("wc -c; echo error >&2", options)
                #expect(await child.wait() == .exited(0))
                let lines = try String(contentsOfFile: "\(folder)/output", encoding: .utf8).split(separator: "\n")
                #expect(lines.map { $0.trimmingCharacters(in: .whitespaces) } == (merges ? ["1", "error"] : ["1"]))
            }
        }
    }

    @Test("By default a child process has empty input and its output is discarded")
    func defaults() async throws {
        #expect(await (try start("read -r line && exit 1; echo a && echo b >&2")).wait() == .exited(0))
        #expect(try await run("echo error >&2; echo \"$PATH $OTHER.\"").bytes == Array("/usr/bin:/bin .\n".utf8))
    }

    // MARK: Limits

    @Test(
        "A child process is killed with its children after the timeout, even if it ignores SIGTERM",
        arguments: [true, false]
    )
    func timeout(closesOutput: Bool) async throws {
        try await withFolder { folder in
            let close = closesOutput ? "exec 1>&-; " : ""
            let script = "trap '' TERM; sleep 600 & \(close)echo $! >\(folder)/child; wait"
            do {
                _ = try await run(script, timeout: .seconds(2))
                Issue.record("It was not killed.")
            } catch ChildProcess.Failure.timedOut {}
            let child = try await number(in: "\(folder)/child")
            #expect(try await eventually { isGone(child) })
        }
    }

    @Test("A child process is killed with its children when its task is cancelled")
    func cancellation() async throws {
        try await withFolder { folder in
            let task = Task { try await run("sleep 600 & echo $! >\(folder)/child; wait") }
            let child = try await number(in: "\(folder)/child")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await eventually { isGone(child) })
        }
    }

    @Test("A cancelled task starts no child process")
    func cancelledBefore() async throws {
        try await withFolder { folder in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await run("echo >\(folder)/file")
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(!FileManager.default.fileExists(atPath: "\(folder)/file"))
        }
    }

    // MARK: The start

    @Test(
        "A program that cannot be started throws an error and leaves no process",
        arguments: [["/nowhere/at-all"], ["nowhere-at-all"], ["/"], []]
    )
    func notStarted(_ arguments: [String]) async throws {
        do {
            _ = try ChildProcess(arguments, environment: Self.environment)
            Issue.record("It was started.")
        } catch ChildProcess.Failure.notStarted(let errno) {
            #expect([ENOENT, EACCES, EINVAL].contains(errno))
        }
    }

    #if os(Linux)
        @Test("A child process leads a process group of its own only on request", arguments: [true, false])
        func group(leads: Bool) async throws {
            var options = ChildProcess.Options()
            options.leadsGroup = leads
            // The fifth field is the number of the group.
            let child = try start("read -r a b c d group e </proc/$$/stat; [ $group = $$ ]", options)
            #expect(await child.wait() == .exited(leads ? 0 : 1))
        }

        @Test("A child process inherits no descriptor and no blocked or ignored signal")
        func inheritance() async throws {
            // Without close-on-exec, as some libraries open theirs.
            let descriptor = open("/dev/null", O_RDONLY)
            #expect(descriptor > 2)
            defer { closeDescriptor(descriptor) }
            // As servers have it.
            _ = signal(SIGPIPE, SIG_IGN)
            let script = """
                ls /proc/self/fd | tr '\\n' ,
                grep -E 'SigBlk|SigIgn' /proc/self/status | cut -f2 | tr '\\n' ,
                """
            let output = try await run(script)
            let found = String(decoding: output.bytes, as: UTF8.self)
            // 0, 1, 2, and the directory that ls reads; glibc itself has the two signals ignored that its threads use.
            #expect(
                found == "0,1,2,3,0000000000000000,0000000180000000,"
                    || found == "0,1,2,3,0000000000000000,0000000000000000,"
            )
        }
    #endif
}
