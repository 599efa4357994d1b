import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Slow sources", .timeLimit(.minutes(5)))
struct SlowSourceTests {
    private static let replace = UploadOptions(ifExists: .replace)

    struct Stalled: CustomTestStringConvertible, Sendable {
        var delivered: Int
        var length: Int64?
        var testDescription: String { "\(delivered) bytes of \(length.map { "\($0)" } ?? "unknown length")" }
    }

    private static let almostAll = (8 << 20) - (64 << 10)

    @Test(
        "16 silent sources do not block the upload and download of small files",
        arguments: [
            Stalled(delivered: 0, length: 8 << 20), Stalled(delivered: 0),
            Stalled(delivered: almostAll, length: 8 << 20), Stalled(delivered: almostAll),
        ]
    )
    func manySmall(stalled: Stalled) async throws {
        let storage = try await S3World.make(.seaweed).storage { $0.transfers.sourceTimeout = .seconds(3600) }
        let silent = Counter()
        let tasks = (0..<16).map { number in
            Task {
                let source = StallingSource(byteCount: stalled.delivered, silent: silent)
                _ = try await storage.upload(
                    .stream(source, length: stalled.length),
                    to: StorageName(unchecked: "stalled-\(number)"),
                    options: Self.replace
                )
            }
        }
        try await waitUntil { silent.value + storage.partMemory.waiting == 16 }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<50 {
                group.addTask {
                    for number in stride(from: lane, to: 1000, by: 50) {
                        let bytes = TestBytes.make(10_000 + number, seed: number)
                        let name = StorageName(unchecked: "small/\(number)")
                        let body = number % 2 == 0 ? UploadBody.buffer(bytes) : .stream(AsyncStream.of(bytes))
                        _ = try await storage.upload(body, to: name, options: Self.replace)
                        #expect(storage.partMemory.inUse <= storage.partMemory.capacity)
                        #expect(try await storage.open(name).collect(upTo: 1 << 20) == bytes)
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(silent.value + storage.partMemory.waiting == 16, "nobody has gone meanwhile")
        tasks.forEach { $0.cancel() }
        for task in tasks { await #expect(throws: CancellationError.self) { try await task.value } }
        #expect(storage.partMemory.inUse == 0)
        #expect(try await storage.abortUploads(olderThan: .distantFuture) == 0)
    }

    @Test("A source that falls silent fails its upload with advice and leaves nothing", arguments: [true, false])
    func silence(isDeaf: Bool) async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.transfers.sourceTimeout = .milliseconds(300)
            $0.transfers.partSize = 5 << 20
            $0.transfers.multipartThreshold = 5 << 20
        }
        let name = StorageName.unique()
        let deaf = StallingSource.Deaf()
        let silent = Counter()
        let source = StallingSource(byteCount: 12 << 20, silent: silent, deaf: isDeaf ? deaf : nil)
        let error = await #expect(throws: StorageError.self) {
            _ = try await storage.upload(.stream(source, length: 20 << 20), to: name, options: Self.replace)
        }
        #expect(error?.code == .sourceFailed)
        #expect(error?.message.contains("transfers.sourceTimeout") == true)
        #expect(silent.value == 1)
        deaf.wakeAll()
        #expect(try await storage.abortUploads(olderThan: .distantFuture, prefix: name.string) == 0)
        #expect(try await !storage.exists(name))
        #expect(storage.partMemory.inUse == 0)
    }

    @Test("A source that ignores cancellation does not hold up its upload")
    func deafness() async throws {
        let storage = try await S3World.make(.seaweed).storage { $0.transfers.sourceTimeout = .seconds(3600) }
        let name = StorageName.unique()
        let deaf = StallingSource.Deaf()
        let silent = Counter()
        let source = StallingSource(byteCount: 1 << 20, silent: silent, deaf: deaf)
        let task = Task {
            try await storage.upload(.stream(source, length: 20 << 20), to: name, options: Self.replace)
        }
        try await waitUntil { silent.value == 1 }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        deaf.wakeAll()
        #expect(try await !storage.exists(name))
        #expect(storage.partMemory.inUse == 0)
    }

    @Test("A slow server does not count as a slow source")
    func slowServer() async throws {
        let world = try await S3World.make(.seaweed)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            proxy.script { request, _ in request.method == "PUT" ? .delay(.milliseconds(700)) : .pass }
            let storage = try world.storage(at: proxy.endpoint) {
                $0.transfers.sourceTimeout = .milliseconds(500)
                $0.transfers.partSize = 5 << 20
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.uploadConcurrency = 1
                $0.transfers.memoryBudget = 5 << 20
            }
            let bytes = TestBytes.make(12 << 20)
            let name = StorageName.unique()
            _ = try await storage.upload(.buffer(bytes), to: name, options: Self.replace)
            #expect(try await storage.open(name).collect(upTo: 16 << 20) == bytes)
        }
    }

    /// A storage whose memory is held by one source that has fallen silent, while a body waits for some.
    private func whileMemoryIsHeld(
        waitLimit: Duration,
        _ work: (S3Storage, Task<Void, any Error>) async throws -> Void
    ) async throws {
        let storage = try await S3World.make(.seaweed).storage {
            $0.transfers.memoryBudget = 5 << 20
            $0.transfers.waitLimit = waitLimit
        }
        let silent = Counter()
        let holder = Task {
            let source = StallingSource(byteCount: (5 << 20) - 65_536, silent: silent)
            _ = try await storage.upload(.stream(source, length: 5 << 20), to: .unique(), options: Self.replace)
        }
        try await waitUntil { silent.value == 1 }
        let waits = Task {
            _ = try await storage.upload(.buffer(TestBytes.make(3 << 20)), to: .unique(), options: Self.replace)
        }
        try await work(storage, waits)
        #expect(silent.value == 1)
        holder.cancel()
        await #expect(throws: CancellationError.self) { try await holder.value }
        #expect(storage.partMemory.inUse == 0)
        #expect(storage.partMemory.waiting == 0)
    }

    @Test("Waiting for memory that a slow source holds ends at the wait limit")
    func waitLimit() async throws {
        try await whileMemoryIsHeld(waitLimit: .milliseconds(200)) { storage, waits in
            let error = await #expect(throws: StorageError.self) { try await waits.value }
            #expect(error?.code == .timeout)
            #expect(error?.message.contains("transfers.memoryBudget") == true)
        }
    }

    @Test("A task that waits for the memory of a slow source can be cancelled")
    func cancellation() async throws {
        try await whileMemoryIsHeld(waitLimit: .seconds(600)) { storage, waits in
            try await waitUntil { storage.partMemory.waiting == 1 }
            waits.cancel()
            await #expect(throws: CancellationError.self) { try await waits.value }
        }
    }
}

extension AsyncStream where Element == ByteBuffer {
    /// A stream of one buffer.
    fileprivate static func of(_ buffer: ByteBuffer) -> Self {
        AsyncStream { continuation in
            continuation.yield(buffer)
            continuation.finish()
        }
    }
}
