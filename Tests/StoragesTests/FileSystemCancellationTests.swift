import Foundation
import NIOConcurrencyHelpers
import NIOCore
import TestSupport
import Testing

@testable import Storages

@Suite("FileSystemStorage: cancellation and back-pressure")
struct FileSystemCancellationTests {
    let fixture: FileSystemFixture

    init() throws {
        fixture = try FileSystemFixture()
    }

    /// Cancels a task when a step of that number is taken.
    private final class Canceller: Sendable {
        private struct State {
            var step = 0
            var task: Task<UploadedFile, any Error>?
            var isCancelled = false
        }

        private let target: Int
        private let state = NIOLockedValueBox(State())

        init(at target: Int) { self.target = target }

        var steps: Int { state.withLockedValue { $0.step } }

        func begin(_ task: Task<UploadedFile, any Error>) {
            let isLate = state.withLockedValue { state in
                state.task = task
                return state.isCancelled
            }
            if isLate { task.cancel() }
        }

        func step() {
            let task = state.withLockedValue { state in
                defer { state.step += 1 }
                guard state.step == target else { return nil as Task<UploadedFile, any Error>? }
                state.isCancelled = true
                return state.task
            }
            task?.cancel()
        }
    }

    @Test(
        "An upload that is cancelled at any step is either absent or complete",
        arguments: [IfExists.fail, .rename, .replace],
        [true, false]
    )
    func cancelsAnywhere(ifExists: IfExists, makesAnonymousFiles: Bool) async throws {
        var target = 0
        var isBeyond = false
        while !isBeyond {
            let canceller = Canceller(at: target)
            // Steps: each chunk asked for, each chunk on its way to a thread, each fsync, which is in the middle of the
            // last visit, each progress report.
            let storage = try fixture.storage(
                durability: .fsync,
                makesAnonymousFiles: makesAnonymousFiles,
                synchronize: { _ in
                    canceller.step()
                    return 0
                }
            )
            let source = PatternSource(byteCount: 700_000, chunkSize: 150_000, onChunk: { _ in canceller.step() })
            let name = try StorageName(validating: "a/b")
            let task = Task {
                let options = UploadOptions(
                    ifExists: ifExists,
                    progress: { _ in canceller.step() },
                    tap: { _ in canceller.step() }
                )
                return try await storage.upload(.stream(source), to: name, options: options)
            }
            canceller.begin(task)
            do {
                let file = try await task.value
                #expect(try await storage.size(of: file.name) == 700_000)
                #expect(try fixture.remains() == ["a/", "a/b"])
                _ = try await storage.delete([file.name])
            } catch is CancellationError {
                #expect(try fixture.remains() == [], "cancelled at step \(target)")
            }
            isBeyond = canceller.steps <= target
            target += 1
        }
        #expect(target > 15)
    }

    @Test("A storage reads no more of an upload than it can write, and of a file than is requested")
    func backPressure() async throws {
        let storage = try fixture.storage(durability: .fsync)
        let name = try StorageName(validating: "f")
        let given = NIOLockedValueBox<Int64>(0)
        let stored = NIOLockedValueBox<Int64>(0)
        let source = PatternSource(
            byteCount: 8 << 20,
            chunkSize: 100_000,
            onChunk: { position in
                given.withLockedValue { $0 = position }
                let stored = stored.withLockedValue { $0 }
                // Less than a full part waits for the disk, and one chunk is on its way.
                #expect(position - stored <= 256 * 1024 + 100_000)
            }
        )
        let options = UploadOptions(progress: { report in stored.withLockedValue { $0 = report.completedBytes } })
        _ = try await storage.upload(.stream(source), to: name, options: options)
        #expect(stored.withLockedValue { $0 } == 8 << 20)

        // Nothing is read ahead: what is cut off behind the first chunk is missed when it is asked for.
        var iterator = try await storage.open(name).makeAsyncIterator()
        _ = try await iterator.next()
        let file = try #require(FileHandle(forWritingAtPath: fixture.root + "/f"))
        try file.truncate(atOffset: 256 * 1024)
        try file.close()
        #expect(await storageErrorCode { _ = try await iterator.next() } == .changedDuringRead)
    }
}
