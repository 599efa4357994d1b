import Foundation
import NIOConcurrencyHelpers
import StoredFiles
import StoredFilesTesting

/// Starts all others, is in their way, and looks now and then whether files and rows still fit.
struct Conductor: Sendable {
    let scene: Scene
    let server: TemporaryPostgres
    let databases: [Database]
    let upheavals: [Upheavals]
    let checkpoint: Checkpoint
    let crew: Crew
    let counts: Counts
    let dice: Dice
    let settings: Settings
    let beat = NIOLockedValueBox(ContinuousClock.now)

    init(_ settings: Settings, _ folder: String) async throws {
        self.settings = settings
        dice = Dice(settings.seed)
        counts = Counts()
        server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: [
                // What is committed has to survive the server; some transactions renounce it.
                "synchronous_commit": "on", "wal_writer_delay": "2s", "max_prepared_transactions": "50",
                "autovacuum_naptime": "5s", "log_min_messages": "log", "log_checkpoints": "off",
                "max_wal_size": "256MB",
                "deadlock_timeout": "200ms", "client_connection_check_interval": "500ms",
            ])
        )
        let urls = [
            try await server.makeDatabase(named: Scene.sides[0]), try await server.makeDatabase(named: Scene.sides[1]),
        ]
        scene = Scene(folder: folder, urls: urls, processFile: server.directory + "/data/postmaster.pid")
        try FileManager.default.createDirectory(atPath: folder + "/logs", withIntermediateDirectories: true)
        try scene.save()
        let storages = try [0, 1].map { [scene] in try scene.storages(of: $0) }
        databases = [
            try await scene.connect(0, storages[0], name: Scene.conductor, poolSize: 4),
            try await scene.connect(1, storages[1], name: Scene.conductor, poolSize: 4),
        ]
        for database in databases {
            try await database.migrate(chaosMigrations)
            if settings.isAudited { try await Audit.install(in: database) }
        }
        crew = Crew(scene, counts, dice.fork())
        upheavals = try [0, 1].map { [scene, databases, counts, dice] side in
            try Upheavals(scene, side, databases[side], counts, dice.fork(), settings)
        }
        checkpoint = Checkpoint(
            scene: scene,
            counts: counts,
            dice: dice.fork(),
            databases: databases,
            storages: storages,
            upheavals: upheavals
        )
        try await checkpoint.putBystanders()
    }

    func run() async throws {
        let start = ContinuousClock.now
        let end = start + .seconds(settings.seconds)
        // A busy machine gets longer to come across everything.
        while ContinuousClock.now < end || isIncomplete && ContinuousClock.now < end + .seconds(settings.seconds) {
            if counts.isBroken { return }
            if let sabotage = settings.sabotage {
                for database in databases { try await persistently { try await sabotage.commit(in: database) } }
            }
            try crew.fill()
            let begin = ContinuousClock.now
            try await makeChaos(until: begin + dice.milliseconds(12_000...18_000))
            let end = ContinuousClock.now
            try await calm()
            if counts.isBroken { return }
            let quiet = ContinuousClock.now
            try await checkpoint.run()
            let now = ContinuousClock.now
            beat.withLockedValue { $0 = now }
            let parts = [now - start, end - begin, quiet - end, now - quiet].map { "\($0.components.seconds) s" }
            say(
                "\(parts[0]), checkpoint \(counts[.checkpoint]) after \(parts[1]) of chaos, \(parts[2]) until it was quiet "
                    + "and \(parts[3]) of looking: \(counts.line)"
            )
            if !counts.isBroken { try await tidy() }
        }
    }

    /// The happenings that never occurred, in a run that is long enough.
    var missing: [Happening] {
        guard settings.seconds >= 100, settings.sabotage == nil else { return [] }
        return Happening.required.filter { counts[$0] == 0 && !settings.leavingOut.contains($0.rawValue) }
    }

    private var isIncomplete: Bool { !missing.isEmpty }

    /// All of it at the same time.
    private func makeChaos(until end: ContinuousClock.Instant) async throws {
        var works: [@Sendable (Dice) async throws -> Void] = [disturbProcesses, disturbServer]
        for side in 0..<2 {
            works.append { try await changeWeather(side, $0) }
            works.append { try await upset(side, $0) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for work in works {
                let own = dice.fork()
                group.addTask {
                    while ContinuousClock.now < end, !counts.isBroken { try await work(own) }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Nobody writes any more, and nothing is in the way.
    private func calm() async throws {
        for side in 0..<2 { scene.weather(side).set(nil) }
        for member in crew.all { member.resume() }
        try await crew.end(.writer, dice)
        if dice.chance(2) { try await crew.end(.reaper, dice) }
    }

    /// Empties the audits and logs of what was checked.
    private func tidy() async throws {
        for database in databases { try await persistently { try await Audit.clear(database) } }
        let logs = try FileManager.default.contentsOfDirectory(atPath: scene.folder + "/logs")
        for log in logs { truncate("\(scene.folder)/logs/\(log)", 0) }
    }

    // MARK: Disturbances

    private func disturbProcesses(_ dice: Dice) async throws {
        try await Task.sleep(for: dice.milliseconds(300...1500))
        let kind = dice.pick([Member.Kind.writer, .writer, .reaper])
        let members = crew.of(kind)
        guard !members.isEmpty else { return try crew.fill() }
        let member = dice.pick(members)
        if dice.chance(4) {
            // Longer than leases last: whoever goes on afterwards does not know that time has passed.
            member.pause()
            try await Task.sleep(for: dice.milliseconds(100...1800))
            member.resume()
            counts.add(kind == .writer ? .writerPaused : .reaperPaused)
        } else {
            scene.note("\(member.name) (\(member.pid)) is killed")
            member.kill()
            counts.add(kind == .writer ? .writerKilled : .reaperKilled)
            if dice.chance(3) { try await Task.sleep(for: dice.milliseconds(0...500)) }
        }
        try crew.fill()
    }

    private static let serverDeck = NIOLockedValueBox(
        Deck<Happening>([
            .serverFast, .serverImmediate, .serverKilled, .backendKilled, .sessionsEnded, .serverCrashedAfterDeletion,
        ])
    )

    private func disturbServer(_ dice: Dice) async throws {
        try await Task.sleep(for: dice.milliseconds(2500...5500))
        let happening =
            settings.sabotage == .durable
            ? .serverCrashedAfterDeletion : Self.serverDeck.withLockedValue { $0.deal(dice) }
        scene.note("\(happening)")
        switch happening {
        case .serverFast: try await server.restart(mode: .fast)
        case .serverImmediate: try await server.restart(mode: .immediate)
        case .serverKilled:
            try await killServer()
        case .serverCrashedAfterDeletion:
            guard try await crashServer() else { return }
        case .backendKilled:
            // The server takes it for a crash, ends all sessions and recovers.
            let rows = try await persistently {
                try await databases[dice.int(0...1)].query(
                    """
                    SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                    """
                )
            }
            guard !rows.isEmpty else { return }
            kill(pid_t(try rows[dice.int(0...(rows.count - 1))].decode(Int32.self, at: 0)), SIGKILL)
        default:
            _ = try await persistently {
                try await databases[dice.int(0...1)].query(
                    """
                    SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() AND random() < 0.5
                    """
                )
            }
        }
        counts.add(happening)
    }

    /// Kills the server and starts it again.
    ///
    /// Sessions of a server that was killed hold its memory until they have noticed, and the next one has to wait for
    /// them. One that waits for another's lock does not notice.
    private func killServer() async throws {
        let text = try? String(contentsOfFile: server.directory + "/data/postmaster.pid", encoding: .utf8)
        let first = text?.split(separator: "\n").first.map(String.init) ?? ""
        let children = try? String(contentsOfFile: "/proc/\(first)/task/\(first)/children", encoding: .utf8)
        let sessions = (children ?? "").split(separator: " ").compactMap { pid_t($0) }
        try await server.kill()
        try await start(after: sessions)
    }

    private func start(after sessions: [pid_t]) async throws {
        for _ in 0..<10 {
            if (try? await server.startServer()) != nil { return }
            for session in sessions where isSession(session) { kill(session, SIGKILL) }
            try await Task.sleep(for: .milliseconds(200))
        }
        try await server.startServer()
    }

    /// Has a reaper end the server as soon as it has deleted files, and writes rows with their names when the server
    /// is there again: a reaper's notes have to be on disk before it deletes anything.
    private func crashServer() async throws -> Bool {
        guard let deletion = try await scene.crash.expect(for: .seconds(3)) else { return false }
        try await start(after: [])
        let connection = try await PostgresConnection.connect(scene.urls[deletion.side])
        defer { connection.close() }
        for name in deletion.names {
            do {
                // Before its tombstone could be forgotten: later nobody would know.
                _ = try await connection.simpleQuery(
                    """
                    INSERT INTO notes (file) SELECT '\(name.replacing("'", with: "''"))'
                    WHERE clock_timestamp() < to_timestamp(\(deletion.time.timeIntervalSince1970 + 5))
                    """
                )
            } catch let error as DatabaseError {
                scene.note("\(name) is not written again: \(error.code)")
            }
        }
        return true
    }

    /// The number of a process may be somebody else's by now.
    private func isSession(_ pid: pid_t) -> Bool {
        let command = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
        return command?.hasPrefix("postgres: ") == true
    }

    private static let weatherDecks = NIOLockedValueBox([Deck(Weather.allCases), Deck(Weather.allCases)])

    private func changeWeather(_ side: Int, _ dice: Dice) async throws {
        try await Task.sleep(for: dice.milliseconds(500...2500))
        let weather = Self.weatherDecks.withLockedValue { $0[side].deal(dice) }
        scene.weather(side).set(weather.rawValue)
        scene.note("the weather on the \(Scene.sides[side]) is \(weather)")
        try await Task.sleep(for: dice.milliseconds(200...1500))
        scene.weather(side).set(nil)
        scene.note("the weather on the \(Scene.sides[side]) is fine")
        let happenings: [Weather: Happening] = [
            .down: .weatherDown, .lost: .weatherLost, .flaky: .weatherFlaky, .slow: .weatherSlow, .late: .weatherLate,
        ]
        if let happening = happenings[weather] { counts.add(happening) }
    }

    private func upset(_ side: Int, _ dice: Dice) async throws {
        try await Task.sleep(for: dice.milliseconds(100...600))
        try await upheavals[side].run()
    }
}
