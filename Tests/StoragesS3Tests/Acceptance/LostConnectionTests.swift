import NIOCore
import Storages
import StoragesS3
import StoredFilesTesting
import Testing

@Suite("Connections that are lost", .timeLimit(.minutes(5)))
struct LostConnectionTests {
    /// A place where a connection ends, and how.
    struct Loss: Sendable, CustomTestStringConvertible {
        var cut: FaultProxy.Cut
        var manner: FaultProxy.Manner
        /// Whether the connection had served a request before.
        var isReused: Bool

        var testDescription: String { "\(cut), \(manner), \(isReused ? "a used" : "a new") connection" }

        static let all: [Loss] = {
            let cuts: [FaultProxy.Cut] = [
                .afterRequestHead, .afterRequestBody(bytes: 1000), .beforeAnswer, .answerLost,
                .insideAnswerHead(bytes: 30), .afterAnswerBody(bytes: 1),
            ]
            return cuts.flatMap { cut in
                [FaultProxy.Manner.close, .reset].flatMap { manner in
                    [false, true].map { Loss(cut: cut, manner: manner, isReused: $0) }
                }
            }
        }()
    }

    /// A storage of OpenStack Swift behind a proxy, with an object of 20,000 bytes.
    private struct Scene {
        var proxy: FaultProxy
        var storage: S3Storage
        /// The same without the proxy.
        var direct: S3Storage
        var there: StorageName

        /// Has the next request lost.
        func cut(_ loss: Loss) async throws {
            await proxy.closeIdleConnections()
            if loss.isReused {
                proxy.script([])
                _ = try await storage.info(for: there)
            }
            proxy.script([.cut(loss.cut, loss.manner)])
        }
    }

    private func with(_ work: (Scene) async throws -> Void) async throws {
        let world = try await S3World.shared()
        let direct = try world.storage()
        let there = StorageName.unique()
        _ = try await direct.upload(.buffer(TestBytes.make(20_000)), to: there, options: .init(ifExists: .replace))
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try world.storage(at: proxy.endpoint) {
                $0.server.conditionalWrites = true
                $0.transfers.multipartThreshold = 16 << 20
            }
            try await work(Scene(proxy: proxy, storage: storage, direct: direct, there: there))
        }
    }

    @Test("do not hurt what can be done twice", arguments: Loss.all)
    func safeOperations(loss: Loss) async throws {
        try await with { scene async throws in
            let (storage, direct, there) = (scene.storage, scene.direct, scene.there)
            try await scene.cut(loss)
            #expect(try await storage.open(there).collect(upTo: 30_000) == TestBytes.make(20_000))
            #expect(scene.proxy.count("GET") >= 2)

            try await scene.cut(loss)
            #expect(try await storage.size(of: there) == 20_000)

            try await scene.cut(loss)
            var names: [String] = []
            for try await file in storage.list(prefix: there.string) { names.append(file.name.string) }
            #expect(names == [there.string])

            let replaced = StorageName.unique()
            try await scene.cut(loss)
            let bytes = TestBytes.make(100_000, seed: 1)
            let file = try await storage.upload(.buffer(bytes), to: replaced, options: .init(ifExists: .replace))
            #expect(file.byteCount == 100_000)
            #expect(try await direct.open(replaced).collect(upTo: 200_000) == bytes)

            try await scene.cut(loss)
            try await storage.delete(replaced)
            #expect(try await !direct.exists(replaced))
        }
    }

    @Test("never make an upload fail because of itself", arguments: Loss.all, [0, 100_000, 2 << 20])
    func uploads(loss: Loss, count: Int) async throws {
        try await with { scene async throws in
            let (storage, direct, name) = (scene.storage, scene.direct, StorageName.unique())
            let bytes = TestBytes.make(count, seed: 2)
            try await scene.cut(loss)
            do {
                let file = try await storage.upload(.buffer(bytes), to: name, options: .init(ifExists: .fail))
                #expect(file.name == name)
                #expect(try await direct.open(name).collect(upTo: 4 << 20) == bytes)
            } catch let error as StorageError {
                #expect(error.code == .outcomeUnknown)
            }
            #expect(scene.proxy.count("PUT") >= 1)
        }
    }

    @Test("never make an upload overwrite another", arguments: Loss.all, [0, 100_000])
    func overwriting(loss: Loss, count: Int) async throws {
        try await with { scene async throws in
            let (storage, direct, there) = (scene.storage, scene.direct, scene.there)
            let other = TestBytes.make(count, seed: 3)
            try await scene.cut(loss)
            let code = await StorageError.code {
                try await storage.upload(.buffer(other), to: there, options: .init(ifExists: .fail))
            }
            #expect(code == .alreadyExists || code == .outcomeUnknown)
            try await scene.cut(loss)
            let file = try await storage.upload(.buffer(other), to: there, options: .init(ifExists: .rename))
            #expect(file.name != there)
            #expect(try await direct.open(file.name).collect(upTo: 4 << 20) == other)
            #expect(try await direct.open(there).collect(upTo: 30_000) == TestBytes.make(20_000))
        }
    }

    @Test("again and again end in an error that says so", arguments: [FaultProxy.Manner.close, .reset])
    func always(manner: FaultProxy.Manner) async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .cut(.beforeAnswer, manner) }
            let storage = try proxy.storage { $0.retries.maxAttempts = 3 }
            let name = try StorageName(validating: "name")
            #expect(await StorageError.code { try await storage.info(for: name) } == .unavailable)
            #expect(proxy.requests.count == 3)
        }
    }
}
