import Foundation
import NIOConcurrencyHelpers
import StoredFiles
import StoredFilesTesting

/// Processes that write rows and files in every way there is, reap, die, and lose their server, storage and tables, on
/// two databases over one storage; now and then it is looked whether each row's file is there and each file has its
/// row.
///
/// Usage: `LifecycleChaos`. It starts a private PostgreSQL cluster, and itself again as writers and reapers. It prints
/// the seed, a line of counts for each checkpoint, and exits with 1 when a file was lost or left behind, when something
/// failed that must not, or when in a run of at least 100 seconds something never happened. The environment:
///
/// - `CHAOS_SECONDS`: how long it goes on, 120 by default; up to twice as long where something has not happened yet.
/// - `CHAOS_SEED`: repeats the decisions of a run; what they meet depends on the machine.
/// - `CHAOS_SABOTAGE`: a fault to put into the databases, to see that it is found; see ``Sabotage``.
/// - `CHAOS_WITHOUT`: upheavals to leave out, separated by commas.
/// - `CHAOS_AUDIT`: when set, changes of the journal are noted in the databases, and reported with violations.
@main
struct LifecycleChaos {
    static func main() async {
        // A pipe whose reader was killed is no reason to die.
        signal(SIGPIPE, SIG_IGN)
        let arguments = CommandLine.arguments
        do {
            if arguments.count == 6, let kind = Member.Kind(rawValue: arguments[1]), let side = Int(arguments[3]),
                let seed = UInt64(arguments[5])
            {
                Channel.listen()
                let scene = try Scene(folder: arguments[2])
                switch kind {
                case .writer: try await Writer.main(scene, side, arguments[4], Dice(seed))
                case .reaper: try await ReapingProcess.main(scene, side, arguments[4], Dice(seed))
                }
                return
            }
            guard arguments.count == 1 else { throw ChaosError("usage: LifecycleChaos, without arguments") }
            exit(try await conduct())
        } catch {
            say("LifecycleChaos failed: \(error)")
            exit(2)
        }
    }

    private static func conduct() async throws -> Int32 {
        let settings = try Settings()
        say("LifecycleChaos: CHAOS_SEED=\(settings.seed) CHAOS_SECONDS=\(settings.seconds)")
        let folder = FileManager.default.temporaryDirectory.appending(path: "chaos-\(UUID().uuidString)").path
        let conductor = try await Conductor(settings, folder)
        watch(conductor)
        do {
            try await conductor.run()
        } catch {
            conductor.counts.violate("the conductor failed: \(error)")
        }
        let counts = conductor.counts
        let missing = conductor.missing
        if !counts.isBroken, !missing.isEmpty {
            counts.violate("never happened: \(missing.map(\.rawValue).joined(separator: ", "))")
        }
        let isBroken = counts.isBroken
        if isBroken { await report(conductor) }
        conductor.crew.killAll()
        for database in conductor.databases { await database.close() }
        await conductor.server.stop()
        if !isBroken { try? FileManager.default.removeItem(atPath: folder) }
        say("LifecycleChaos: \(isBroken ? "FAILED" : "all files and rows fit"): \(counts.line)")
        return isBroken ? 1 : 0
    }

    private static func report(_ conductor: Conductor) async {
        let violations = conductor.counts.violations
        let (seed, folder) = (conductor.settings.seed, conductor.scene.folder)
        say("\(violations.count) violations with CHAOS_SEED=\(seed); \(folder) is kept.")
        say("The processes:\n\(conductor.crew.doing)")
        say("The sessions:\n\(await conductor.checkpoint.sessions())")
        conductor.crew.killAll()
        say("What is known of the names:\n\(await conductor.checkpoint.explain(violations))")
        try? conductor.server.log.write(toFile: conductor.scene.log("server"), atomically: true, encoding: .utf8)
    }

    /// Ends the run from a thread of its own when there was no checkpoint for too long.
    private static func watch(_ conductor: Conductor) {
        Thread.detachNewThread {
            while true {
                Thread.sleep(forTimeInterval: 5)
                let pause = ContinuousClock.now - conductor.beat.withLockedValue { $0 }
                guard pause > .seconds(180) else { continue }
                say("stuck: no checkpoint in \(pause) with CHAOS_SEED=\(conductor.settings.seed)")
                say("\(conductor.crew.doing)\n\(conductor.counts.line)\n\(conductor.scene.folder) is kept.")
                exit(1)
            }
        }
    }
}

/// The settings of a run, from the environment.
struct Settings: Sendable {
    let seed: UInt64
    let seconds: Int
    let sabotage: Sabotage?
    let leavingOut: Set<String>
    let isAudited: Bool

    init() throws {
        let environment = ProcessInfo.processInfo.environment
        seed = environment["CHAOS_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        seconds = environment["CHAOS_SECONDS"].flatMap { Int($0) } ?? 120
        if let name = environment["CHAOS_SABOTAGE"] {
            guard let known = Sabotage(rawValue: name) else {
                let kinds = Sabotage.allCases.map(\.rawValue).joined(separator: ", ")
                throw ChaosError("CHAOS_SABOTAGE is one of \(kinds)")
            }
            sabotage = known
        } else {
            sabotage = nil
        }
        leavingOut = Set((environment["CHAOS_WITHOUT"] ?? "").split(separator: ",").map(String.init))
        isAudited = environment["CHAOS_AUDIT"] != nil
    }
}
