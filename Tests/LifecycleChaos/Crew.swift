import Foundation
import NIOConcurrencyHelpers

/// The counts of a run, and the violations that must not have happened.
final class Counts: Sendable {
    private struct State {
        var numbers: [Happening: Int] = [:]
        var violations: [String] = []
    }

    private let state = NIOLockedValueBox(State())

    func add(_ happening: Happening, _ number: Int = 1) {
        state.withLockedValue { $0.numbers[happening, default: 0] += number }
    }

    func violate(_ text: String) {
        let isNew = state.withLockedValue { state in
            state.violations.append(text)
            return state.violations.count <= 20
        }
        if isNew { say("VIOLATION \(text)") }
    }

    var violations: [String] { state.withLockedValue { $0.violations } }
    var isBroken: Bool { state.withLockedValue { !$0.violations.isEmpty } }

    subscript(_ happening: Happening) -> Int { state.withLockedValue { $0.numbers[happening] ?? 0 } }

    var line: String {
        state.withLockedValue { state in
            Happening.allCases.compactMap { happening in state.numbers[happening].map { "\(happening) \($0)" } }
                .joined(separator: ", ")
        }
    }
}

/// Prints a line at once, whatever it is printed to.
func say(_ text: String) {
    FileHandle.standardOutput.write(Data("\(text)\n".utf8))
}

/// A writer or reaper in a process of its own.
final class Member: Sendable {
    enum Kind: String, Sendable {
        case writer, reaper
    }

    private struct State {
        var isRunning = true
        var isReady = false
        /// A Boolean value that indicates whether its end is wanted.
        var isDismissed = false
        var doing: [String: String] = [:]
    }

    let kind: Kind
    let side: Int
    let name: String
    let pid: pid_t
    private let input: Int32
    private let state = NIOLockedValueBox(State())

    /// Starts this program once more.
    init(_ kind: Kind, _ side: Int, _ name: String, _ scene: Scene, seed: UInt64, counts: Counts) throws {
        self.kind = kind
        self.side = side
        self.name = name
        let program = try Self.program()
        var inward: [Int32] = [0, 0]
        var outward: [Int32] = [0, 0]
        guard pipe(&inward) == 0, pipe(&outward) == 0 else { throw ChaosError("no pipe: \(errno)") }
        // Another child must not hold them open.
        for end in inward + outward { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, inward[0], 0)
        posix_spawn_file_actions_adddup2(&actions, outward[1], 1)
        posix_spawn_file_actions_addopen(&actions, 2, scene.log(name), O_WRONLY | O_CREAT | O_APPEND, 0o644)
        let arguments = [program, kind.rawValue, scene.folder, "\(side)", name, "\(seed)"]
        var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, program, &actions, nil, &argv, environ)
        close(inward[0])
        close(outward[1])
        guard failure == 0 else { throw ChaosError("\(program) cannot be started: \(failure)") }
        self.pid = pid
        input = inward[1]
        let output = outward[0]
        Thread.detachNewThread { self.watch(output, counts) }
    }

    private static func program() throws -> String {
        #if os(Linux)
            return try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        #else
            return URL(filePath: CommandLine.arguments[0]).path
        #endif
    }

    var isRunning: Bool { state.withLockedValue { $0.isRunning } }
    var doing: String {
        state.withLockedValue { state in
            state.doing.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: "; ")
        }
    }

    func kill() {
        state.withLockedValue { $0.isDismissed = true }
        _ = Foundation.kill(pid, SIGKILL)
    }

    func pause() { _ = Foundation.kill(pid, SIGSTOP) }

    func resume() { _ = Foundation.kill(pid, SIGCONT) }

    func tellToStop() {
        state.withLockedValue { $0.isDismissed = true }
        resume()
        _ = write(input, "stop\n", 5)
    }

    private func watch(_ output: Int32, _ counts: Counts) {
        if let file = fdopen(output, "r") {
            var buffer = [CChar](repeating: 0, count: 8192)
            while fgets(&buffer, Int32(buffer.count), file) != nil {
                let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                hear(String(decoding: bytes, as: UTF8.self), counts)
            }
            fclose(file)
        }
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        close(input)
        // WTERMSIG, which is a macro: a process that kills itself at a failpoint dies by the same signal.
        let isKilled = status & 0x7F == SIGKILL
        let (isDismissed, doing) = state.withLockedValue { state in
            state.isRunning = false
            return (state.isDismissed, state.doing)
        }
        if isKilled, !isDismissed { counts.add(kind == .writer ? .writerDied : .reaperDied) }
        if !isKilled, !(isDismissed && status == 0) {
            counts.violate("\(name) (\(pid)) ended by itself, status \(status), while it did \(doing)")
        }
    }

    private func hear(_ line: String, _ counts: Counts) {
        guard line.last == "\n" else { return }
        let parts = line.dropLast().split(separator: " ", maxSplits: 2).map(String.init)
        switch parts.first {
        case "ready": state.withLockedValue { $0.isReady = true }
        case "count" where parts.count == 3:
            if let happening = Happening(rawValue: parts[1]) { counts.add(happening, Int(parts[2]) ?? 0) }
        case "doing" where parts.count == 3: state.withLockedValue { $0.doing[parts[1]] = parts[2] }
        case "violation": counts.violate("\(name) (\(pid)): \(line.dropFirst(10).dropLast())")
        default: break
        }
    }
}

/// All processes of a run.
final class Crew: Sendable {
    private struct Role: Hashable {
        let kind: Member.Kind
        let side: Int
        let number: Int
    }

    private let scene: Scene
    private let counts: Counts
    private let dice: Dice
    private let roles: [Role]
    private let members = NIOLockedValueBox<[Role: Member]>([:])

    init(_ scene: Scene, _ counts: Counts, _ dice: Dice) {
        self.scene = scene
        self.counts = counts
        self.dice = dice
        roles = [0, 1].flatMap { side in
            [Member.Kind.writer, .reaper].flatMap { kind in
                [1, 2].map { Role(kind: kind, side: side, number: $0) }
            }
        }
    }

    /// Starts whoever is not there.
    func fill() throws {
        for role in roles where members.withLockedValue({ $0[role]?.isRunning }) != true {
            let name = "\(Scene.sides[role.side])-\(role.kind.rawValue)-\(role.number)"
            let member = try Member(role.kind, role.side, name, scene, seed: dice.next(), counts: counts)
            members.withLockedValue { $0[role] = member }
        }
    }

    var all: [Member] {
        let members = members.withLockedValue { $0 }
        return roles.compactMap { members[$0] }.filter(\.isRunning)
    }

    func of(_ kind: Member.Kind) -> [Member] { all.filter { $0.kind == kind } }

    /// Ends all of a kind, some of them in order.
    func end(_ kind: Member.Kind, _ dice: Dice) async throws {
        let members = of(kind)
        for member in members {
            if dice.chance(2) {
                member.tellToStop()
            } else {
                member.kill()
            }
        }
        let limit = ContinuousClock.now + .seconds(90)
        while let member = members.first(where: \.isRunning) {
            guard ContinuousClock.now < limit else {
                throw ChaosError("\(member.name) (\(member.pid)) does not end; it does \(member.doing)")
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    func killAll() {
        for member in all { member.kill() }
    }

    var doing: String { all.map { "\($0.name) (\($0.pid)): \($0.doing)" }.joined(separator: "\n") }
}
