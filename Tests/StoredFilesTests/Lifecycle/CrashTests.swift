import Foundation
import LifecycleSheets
import NIOCore
import StoragesS3
import StoredFiles
import StoredFilesTesting
import Testing

/// A real process that works with rows and files is killed; whatever it was doing, the promises hold afterwards.
///
/// `CRASH_SEED=… swift test --filter CrashTests` repeats a run's decisions.
@Suite("Killed processes", .serialized, .timeLimit(.minutes(20)))
struct CrashTests {
    enum Kind: String, CaseIterable {
        case folder, openStackSwift, seaweedFS

        func newPlace() async throws -> SheetPlace {
            switch self {
            case .folder: .newFolder()
            case .openStackSwift: try await .newBucket(on: .openStackSwift)
            case .seaweedFS: try await .newBucket(on: .seaweedFS)
            }
        }
    }

    private static func seed() -> UInt64 {
        let seed = ProcessInfo.processInfo.environment["CRASH_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999)
        print("CrashTests: CRASH_SEED=\(seed)")
        return seed
    }

    @Test(
        "A process that dies at a step of the protocol leaves nothing that does not heal",
        arguments: Kind.allCases,
        Failpoint.allCases
    )
    func failpoints(_ kind: Kind, _ failpoint: Failpoint) async throws {
        let seed = Self.seed()
        let scene = try await CrashScene(.shared(), kind.newPlace())
        defer { scene.remove() }
        // An S3 server takes its time.
        let occurrences =
            switch kind {
            case .folder: [1, 2, 5]
            case .openStackSwift: [1, 3]
            case .seaweedFS: [2]
            }
        for occurrence in occurrences {
            let worker = try scene.start(seed &+ UInt64(occurrence), failpoint, occurrence: occurrence)
            let status = await worker.waitUntilExit(patience: .seconds(60))
            #expect(status == .killed, "\(failpoint) was not reached \(occurrence) times")
            try await scene.expectPromises("\(failpoint), occurrence \(occurrence), seed \(seed)")
        }
    }

    @Test("Three hundred processes killed at random instants, the server among the victims, lose and leak nothing")
    func randomKills() async throws {
        let seed = Self.seed()
        var generator = SplitMix64(state: seed)
        // What is committed has to survive the server, so its log is written before it answers.
        let server = try await TemporaryPostgres.start(
            TemporaryPostgres.Configuration(settings: ["synchronous_commit": "on"])
        )
        let scene = try await CrashScene(server, .newFolder())
        defer { scene.remove() }
        for round in 0..<100 {
            // Three at a time: they are also in each other's way.
            let workers = try (0..<3).map { try scene.start(generator.next() &+ UInt64($0), nil) }
            for worker in workers { try await worker.waitUntilReady() }
            for worker in workers {
                try await Task.sleep(for: .microseconds(Int.random(in: 0...40_000, using: &generator)))
                if round % 10 == 9, worker === workers[1] {
                    try await server.restart(mode: .immediate)
                }
                worker.kill()
            }
            for worker in workers { #expect(await worker.waitUntilExit(patience: .seconds(60)) == .killed) }
            try await scene.expectPromises("round \(round), seed \(seed)")
        }
        await server.stop()
    }

    @Test(
        "Sixty processes killed at random instants while they work with S3 lose and leak nothing",
        arguments: [Kind.openStackSwift, .seaweedFS]
    )
    func randomKillsOnS3(_ kind: Kind) async throws {
        let seed = Self.seed()
        var generator = SplitMix64(state: seed)
        let scene = try await CrashScene(.shared(), kind.newPlace())
        for round in 0..<20 {
            let workers = try (0..<3).map { try scene.start(generator.next() &+ UInt64($0), nil) }
            for worker in workers { try await worker.waitUntilReady() }
            for worker in workers {
                // Long enough for uploads in parts to be begun.
                try await Task.sleep(for: .microseconds(Int.random(in: 0...300_000, using: &generator)))
                worker.kill()
            }
            for worker in workers { #expect(await worker.waitUntilExit(patience: .seconds(60)) == .killed) }
            try await scene.expectPromises("round \(round), seed \(seed)")
        }
    }
}
