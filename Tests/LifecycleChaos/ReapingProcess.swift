import Foundation
import Logging
import StoredFiles

/// A process that reaps, by the service or look by look, until it is told to stop or is killed.
struct ReapingProcess: Sendable {
    let database: Database
    let judge: Judge

    static func main(_ scene: Scene, _ side: Int, _ name: String, _ dice: Dice) async throws {
        let judge = Judge(upheaval: scene.upheaval(side))
        LoggingSystem.bootstrap { ReaperLog(label: $0, judge: judge) }
        let storages = try scene.storages(of: side, for: name, dice, crashes: true)
        let database = try await persistently {
            // As where a database or a role has this for speed: a reaper does not rely on it.
            try await scene.connect(
                side,
                storages,
                name: name,
                poolSize: 6,
                settings: dice.chance(2) ? ["synchronous_commit": "off"] : [:]
            )
        }
        Failpoints.observe(database, dice.fork(), 60)
        let process = ReapingProcess(database: database, judge: judge)
        Channel.ready()
        if dice.chance(2) {
            await process.serve(dice)
        } else {
            while !Channel.isStopping { await process.look(dice) }
        }
        await Latecomers.wait()
        await database.close()
    }

    static func configuration(_ dice: Dice) -> ReaperConfiguration {
        ReaperConfiguration(
            retention: dice.milliseconds(0...200),
            tombstoneAge: Scene.tombstoneAge,
            interval: dice.milliseconds(150...500),
            batchSize: dice.pick([10, 100, 500]),
            concurrency: dice.int(1...3),
            lease: dice.milliseconds(300...900),
            backoff: .milliseconds(20)
        )
    }

    private func serve(_ dice: Dice) async {
        let reaper = Reaper(database, configuration: Self.configuration(dice))
        let task = Task { try await reaper.run() }
        Channel.doing("0", "serving")
        while !Channel.isStopping { try? await Task.sleep(for: .milliseconds(20)) }
        task.cancel()
        _ = await task.result
    }

    private func look(_ dice: Dice) async {
        Channel.doing("0", "looking")
        let glance = judge.glance()
        do {
            let report = try await database.reap(Self.configuration(dice), waitLimit: dice.milliseconds(0...100))
            Self.count(report)
            for refusal in report.refusals { judgeRefusal(refusal.error, glance) }
            for failure in report.failures { judgeRefusal(failure.error, glance) }
        } catch {
            judgeRefusal(error, glance)
        }
        Channel.doing("0", "nothing")
        try? await Task.sleep(for: dice.milliseconds(20...500))
    }

    private func judgeRefusal(_ error: any Error, _ glance: Int) {
        guard let happening = judge.judge(error, since: glance) else {
            return Channel.violation("reaping failed unexpectedly: \(error)")
        }
        Channel.count(happening == .otherUpheaval ? .refusal : happening)
    }

    static func count(_ report: ReapReport) {
        Channel.count(.reaped, report.deleted)
        Channel.count(.revived, report.revived)
        Channel.count(.forgotten, report.forgotten)
        Channel.count(.deletionFailed, report.failed)
    }
}

/// Judges what the service logs, which has no other way to tell.
struct ReaperLog: LogHandler {
    let label: String
    let judge: Judge
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    init(label: String, judge: Judge) {
        self.label = label
        self.judge = judge
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let (message, metadata) = (event.message, event.metadata)
        let details = (metadata ?? [:]).sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let text = "\(message) \(details.joined(separator: " "))"
        FileHandle.standardError.write(Data("\(Clock.now) \(getpid()) \(event.level) \(text)\n".utf8))
        if message.description == "Reaped" {
            let happenings: [(String, Happening)] = [
                ("deleted", .reaped), ("revived", .revived), ("forgotten", .forgotten), ("failed", .deletionFailed),
            ]
            for (key, happening) in happenings {
                if let number = metadata?[key].flatMap({ Int("\($0)") }) { Channel.count(happening, number) }
            }
        }
        if event.level >= .error, !isExpected(text) { Channel.violation("a reaper logged: \(text)") }
    }

    private func isExpected(_ text: String) -> Bool {
        let expected = [
            UnreliableStorage.mark, "connectionLost:", "connectionFailed:", "outcomeUnknown:", "deadlock:",
            "serializationFailure:", "staleStatement:", "lockTimeout:", "did not delete the files",
        ]
        // What is logged was tried a moment before, and an upheaval may be over since.
        return expected.contains { text.contains($0) }
            || text.contains("Nothing of a storage was deleted") && isRefusal(text)
    }

    private func isRefusal(_ text: String) -> Bool {
        let isKnown =
            text.contains(#/invalidState:|undefinedObject:|missingColumn:|could not open relation|cache lookup/#)
            || text.contains(#/syntax error at or near "[0-9]+"/#)
        if isKnown { Channel.count(.refusal) }
        return isKnown
    }
}
