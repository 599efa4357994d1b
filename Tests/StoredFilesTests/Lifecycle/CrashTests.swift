import Foundation
import LifecycleTestSupport
import NIOCore
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

/// A real process that works with rows and files is killed; whatever it was doing, the promises hold afterwards.
///
/// `CRASH_SEED=… swift test --filter CrashTests` repeats a run's decisions.
@Suite("Killed processes")
enum CrashTests {
    // In each suite one test after the other, so that the victims get the time they need; the suites side by side.

    @Suite("Killed processes with files in a folder", .serialized, .timeLimit(.minutes(20)))
    struct InFolder {
        @Test(
            "A process killed at a step of the protocol loses and leaks no files in a folder",
            arguments: Failpoint.allCases
        )
        func failpoints(_ failpoint: Failpoint) async throws {
            let endings = try await kill(at: failpoint, occurrences: [1, 2, 5], .newFolder())
            #expect(endings == [.killed, .killed, .killed])
        }

        @Test("Three hundred processes killed at random lose and leak no files in a folder")
        func randomKills() async throws {
            // What is committed has to survive the server, so its log is written before it answers.
            let server = try await TemporaryPostgres.start(
                TemporaryPostgres.Configuration(settings: ["synchronous_commit": "on"])
            )
            let place = SheetPlace.newFolder()
            let killed = try await killAtRandom(server, place, rounds: 100, within: .milliseconds(40)) { round in
                if round % 10 == 9 { try await server.restart(mode: .immediate) }
            }
            #expect(killed == 300)
            await server.stop()
        }
    }

    @Suite("Killed processes with files on OpenStack Swift", .serialized, .timeLimit(.minutes(20)))
    struct OnOpenStackSwift {
        @Test(
            "A process killed at a step of the protocol loses and leaks no files on OpenStack Swift",
            arguments: Failpoint.allCases
        )
        func failpoints(_ failpoint: Failpoint) async throws {
            // An S3 server takes its time.
            let endings = try await kill(at: failpoint, occurrences: [1, 3], .newBucket(on: .openStackSwift))
            #expect(endings == [.killed, .killed])
        }

        @Test("Sixty processes killed at random lose and leak no files on OpenStack Swift")
        func randomKills() async throws {
            // Long enough for uploads in parts to be begun.
            let place = try await SheetPlace.newBucket(on: .openStackSwift)
            #expect(try await killAtRandom(.shared(), place, rounds: 20, within: .milliseconds(300)) == 60)
        }
    }

    @Suite("Killed processes with files on SeaweedFS", .serialized, .timeLimit(.minutes(20)))
    struct OnSeaweedFS {
        @Test(
            "A process killed at a step of the protocol loses and leaks no files on SeaweedFS",
            arguments: Failpoint.allCases
        )
        func failpoints(_ failpoint: Failpoint) async throws {
            let endings = try await kill(at: failpoint, occurrences: [2], .newBucket(on: .seaweedFS))
            #expect(endings == [.killed])
        }

        @Test("Sixty processes killed at random lose and leak no files on SeaweedFS")
        func randomKills() async throws {
            let place = try await SheetPlace.newBucket(on: .seaweedFS)
            #expect(try await killAtRandom(.shared(), place, rounds: 20, within: .milliseconds(300)) == 60)
        }
    }

    private static func seed() -> UInt64 {
        let seed = ProcessInfo.processInfo.environment["CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        print("CrashTests: CRASH_SEED=\(seed)")
        return seed
    }

    /// Kills workers at a step of the protocol, when they come to it for the first, the second… time.
    ///
    /// - Returns: The ways in which the workers ended.
    private static func kill(
        at failpoint: Failpoint,
        occurrences: [Int],
        _ place: SheetPlace
    ) async throws -> [WorkerProcess.Status] {
        let seed = seed()
        var endings: [WorkerProcess.Status] = []
        let scene = try await CrashScene(.shared(), place)
        defer { scene.remove() }
        for occurrence in occurrences {
            let worker = try scene.start(seed &+ UInt64(occurrence), failpoint, occurrence: occurrence)
            let status = await worker.waitUntilExit(timeout: .seconds(60))
            #expect(status == .killed, "\(failpoint) was not reached \(occurrence) times")
            endings.append(status)
            try await scene.expectPromises("\(failpoint), occurrence \(occurrence), seed \(seed)")
        }
        return endings
    }

    /// Kills three workers at a time, which are also in each other's way, one after the other.
    ///
    /// - Parameters:
    ///   - limit: The longest time that passes before the next one is killed.
    ///   - disturb: Called before the second of each round is killed.
    /// - Returns: The number of workers that were killed.
    private static func killAtRandom(
        _ server: TemporaryPostgres,
        _ place: SheetPlace,
        rounds: Int,
        within limit: Duration,
        _ disturb: (_ round: Int) async throws -> Void = { _ in }
    ) async throws -> Int {
        let seed = seed()
        var killed = 0
        var generator = SplitMix64(state: seed)
        let scene = try await CrashScene(server, place)
        defer { scene.remove() }
        for round in 0..<rounds {
            let workers = try (0..<3).map { try scene.start(generator.next() &+ UInt64($0), nil) }
            for worker in workers { try await worker.waitUntilReady() }
            for worker in workers {
                try await Task.sleep(for: limit * Double.random(in: 0...1, using: &generator))
                if worker === workers[1] { try await disturb(round) }
                worker.kill()
            }
            for worker in workers {
                let status = await worker.waitUntilExit(timeout: .seconds(60))
                #expect(status == .killed)
                if status == .killed { killed += 1 }
            }
            try await scene.expectPromises("round \(round), seed \(seed)")
        }
        return killed
    }
}
