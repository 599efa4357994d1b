import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Lost connections", .timeLimit(.minutes(5)))
struct LostConnectionTests {
    /// A place where a connection ends, and how.
    struct Loss: Sendable, CustomTestStringConvertible {
        var cut: FaultProxy.Cut
        var manner: FaultProxy.Manner
        /// A Boolean value that indicates whether the connection had served a request before.
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

    @Test("Operations that can be repeated succeed after a lost connection", arguments: Loss.all)
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

    @Test(
        "A conditional upload is not refused because of its own lost attempt",
        arguments: Loss.all,
        [0, 100_000, 2 << 20]
    )
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
            // The empty answer to a PUT is whole when its head is there.
            if case .afterAnswerBody = loss.cut { return }
            #expect(scene.proxy.count("PUT") >= 2)
        }
    }

    @Test(
        "An upload that is repeated after a lost connection never overwrites another file",
        arguments: Loss.all,
        [0, 100_000]
    )
    func overwriting(loss: Loss, count: Int) async throws {
        try await with { scene async throws in
            let (storage, direct, there) = (scene.storage, scene.direct, scene.there)
            let other = TestBytes.make(count, seed: 3)
            try await scene.cut(loss)
            let code = await storageErrorCode {
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

    // MARK: Uploads in parts

    /// The loss of the first completion, and the server's response to the next one.
    struct LostCompletion: Sendable, CustomTestStringConvertible {
        enum Repetition: String, CaseIterable, Sendable {
            /// The server's own response: OpenStack Swift confirms once more.
            case passes
            /// The response that the file exists, as from Amazon S3.
            case exists
            /// The response that there is no such upload, as from rclone.
            case isGone
            /// No response, however often the request is repeated.
            case isLost
        }

        var cut: FaultProxy.Cut
        var manner: FaultProxy.Manner
        var repetition: Repetition

        var testDescription: String { "\(cut), \(manner), \(repetition)" }

        var answer: FaultProxy.Action {
            switch repetition {
            case .passes: .pass
            case .exists: ScriptedBucket.failure(412, "PreconditionFailed")
            case .isGone: ScriptedBucket.failure(404, "NoSuchUpload")
            case .isLost: .cut(.answerLost, manner)
            }
        }

        static let all: [LostCompletion] = {
            var all: [LostCompletion] = []
            for manner in [FaultProxy.Manner.close, .reset] {
                for repetition in Repetition.allCases {
                    all.append(LostCompletion(cut: .answerLost, manner: manner, repetition: repetition))
                }
                for cut in [FaultProxy.Cut.insideAnswerHead(bytes: 30), .afterAnswerBody(bytes: 1)] {
                    all.append(LostCompletion(cut: cut, manner: manner, repetition: .exists))
                }
                // The server has not heard of the first one.
                all.append(LostCompletion(cut: .beforeAnswer, manner: manner, repetition: .passes))
            }
            return all
        }()
    }

    /// A storage that makes uploads in parts depend on the absence of the file.
    private func inParts(_ world: S3World, _ proxy: FaultProxy) throws -> S3Storage {
        let storage = try world.storage(at: proxy.endpoint) {
            $0.server.conditionalWrites = true
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        // What `probeConditionalWrites()` would find out about OpenStack Swift.
        storage.assume { $0.complete.absence = .ifNoneMatch }
        return storage
    }

    /// So many pieces, and something that happens before one of them comes.
    private struct Interrupted: AsyncSequence, Sendable {
        typealias Element = ByteBuffer

        let pieces: [ByteBuffer]
        let place: Int
        let interruption: @Sendable () async throws -> Void

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(source: self) }

        struct AsyncIterator: AsyncIteratorProtocol {
            let source: Interrupted
            var position = 0

            mutating func next() async throws -> ByteBuffer? {
                guard position < source.pieces.count else { return nil }
                if position == source.place { try await source.interruption() }
                position += 1
                return source.pieces[position - 1]
            }
        }
    }

    @Test(
        "A conditional multipart upload succeeds when responses to its completion are lost",
        arguments: LostCompletion.all
    )
    func completion(loss: LostCompletion) async throws {
        let world = try await S3World.shared()
        let direct = try world.storage()
        let name = StorageName.unique()
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try inParts(world, proxy)
            let completions = Counter()
            proxy.script { request, _ in
                guard request.isCompletion else { return .pass }
                return completions.next() == 1 ? .cut(loss.cut, loss.manner) : loss.answer
            }
            let bytes = TestBytes.make((5 << 20) + 100_000)
            let file = try await storage.upload(.buffer(bytes), to: name, options: .init(ifExists: .fail))
            #expect(file.name == name)
            #expect(file.byteCount == Int64(bytes.readableBytes))
            let info = try await direct.info(for: name)
            #expect(file.entityTag == info.entityTag)
            #expect(try await direct.open(name).collect(upTo: 8 << 20) == bytes)

            let requests = proxy.requests.filter(\.isCompletion)
            #expect(loss.repetition == .isLost ? requests.count >= 5 : requests.count == 2)
            #expect(requests.allSatisfy { $0["If-None-Match"] == "*" })
            // It is known what has become of it, so nothing is given up, and nothing is left.
            #expect(!proxy.requests.contains { $0.isAbort })
            #expect(try await direct.abortUploads(olderThan: .distantFuture, prefix: name.string) == 0)
        }
    }

    @Test(
        "A multipart upload reports that another upload was faster, even after a lost response",
        arguments: [false, true]
    )
    func overtaken(isLost: Bool) async throws {
        let world = try await S3World.shared()
        let direct = try world.storage { $0.server.conditionalWrites = true }
        let name = StorageName.unique()
        // With a word of its own that tells who has written it.
        let other = TestBytes.make(1000, seed: 3)
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try inParts(world, proxy)
            let completions = Counter()
            proxy.script { request, _ in
                guard request.isCompletion, completions.next() == 1, isLost else { return .pass }
                return .cut(.answerLost, .reset)
            }
            // While the first part is on its way, so that the name was free when the upload began.
            let source = Interrupted(pieces: Array(repeating: TestBytes.make(1 << 20), count: 9), place: 8) {
                _ = try await direct.upload(.buffer(other), to: name, options: .init(ifExists: .fail))
            }
            let code = await storageErrorCode {
                try await storage.upload(.stream(source, length: 9 << 20), to: name, options: .init(ifExists: .fail))
            }
            #expect(code == .alreadyExists)
            #expect(completions.value == (isLost ? 2 : 1))
            #expect(proxy.requests.contains { $0.isAbort })
            #expect(try await direct.open(name).collect(upTo: 8 << 20) == other)
            #expect(try await direct.abortUploads(olderThan: .distantFuture, prefix: name.string) == 0)
        }
    }

    @Test("A multipart upload reports a file that appeared after its lost completion request")
    func overtakenSince() async throws {
        try await FaultProxy.with { proxy async throws in
            let completions = Counter()
            proxy.script { request, _ in
                switch (request.method, request.isCompletion) {
                case (_, true):
                    completions.next() == 1
                        ? .cut(.beforeAnswer) : ScriptedBucket.failure(412, "PreconditionFailed")
                // Nothing is there before, and afterwards a file that another upload of this library has made.
                case ("HEAD", _):
                    completions.value == 0
                        ? ScriptedBucket.answer(404)
                        : ScriptedBucket.answer(
                            200,
                            "x",
                            [("ETag", "\"other\""), (UploadNonce.header, UploadNonce.make())]
                        )
                default: MultipartScript.answer(request)
                }
            }
            let storage = try proxy.storage {
                $0.server.conditionalWrites = true
                $0.transfers.multipartThreshold = 5 << 20
                $0.transfers.partSize = 5 << 20
            }
            storage.assume { $0.complete.absence = .ifNoneMatch }
            let code = await storageErrorCode {
                let bytes = TestBytes.make((5 << 20) + 1)
                return try await storage.upload(
                    .buffer(bytes),
                    to: StorageName(validating: "file"),
                    options: .init(ifExists: .fail)
                )
            }
            #expect(code == .alreadyExists)
            #expect(completions.value == 2)
            #expect(proxy.requests.contains { $0.isAbort })
        }
    }

    @Test("No part is sent to a name that is taken, even if the first response is lost")
    func taken() async throws {
        let world = try await S3World.shared()
        let direct = try world.storage()
        let name = StorageName.unique()
        let other = TestBytes.make(1000, seed: 3)
        _ = try await direct.upload(.buffer(other), to: name, options: .init(ifExists: .replace))
        try await FaultProxy.with(upstream: (world.server.host, world.server.port)) { proxy async throws in
            let storage = try inParts(world, proxy)
            proxy.script([.cut(.answerLost, .reset)])
            let code = await storageErrorCode {
                try await storage.upload(.buffer(TestBytes.make(6 << 20)), to: name, options: .init(ifExists: .fail))
            }
            #expect(code == .alreadyExists)
            #expect(proxy.requests.map(\.method) == ["HEAD", "HEAD"])
            #expect(try await direct.open(name).collect(upTo: 8 << 20) == other)
        }
    }

    // MARK: All of them

    @Test(
        "An operation fails as unavailable when the connection is lost in every attempt",
        arguments: [FaultProxy.Manner.close, .reset]
    )
    func always(manner: FaultProxy.Manner) async throws {
        try await FaultProxy.with { proxy async throws in
            proxy.script { _, _ in .cut(.beforeAnswer, manner) }
            let storage = try proxy.storage { $0.retries.maxAttempts = 3 }
            let name = try StorageName(validating: "name")
            #expect(await storageErrorCode { try await storage.info(for: name) } == .unavailable)
            #expect(proxy.requests.count == 3)
        }
    }
}
